"""One model in memory: choose, learn, judge, advise, save. Imports all but bench, commands."""

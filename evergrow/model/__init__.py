"""One model in memory: choose, learn, judge, advise, save. Imports every wing before it."""

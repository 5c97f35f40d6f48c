"""What users have becomes tensors: read, checked, prepared. Imports no other wing."""

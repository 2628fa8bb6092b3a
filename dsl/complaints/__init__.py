"""What is wrong with a line that cannot be read, in the words of its writer."""

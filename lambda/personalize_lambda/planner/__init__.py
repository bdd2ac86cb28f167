"""What a run has to do: the difference between what is declared and what exists. No AWS calls, no clock."""

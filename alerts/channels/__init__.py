"""How messages reach people: one small package for each kind of channel, all taking the same envelope."""

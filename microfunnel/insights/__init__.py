"""What follows from micro and macro goals: each module asks one question of the events and makes a finding of it."""

"""From what users did to a funnel worth looking at."""

"""The admin API: who may call and for how much, what it cost, and who changed it. Built when somebody asks for it."""

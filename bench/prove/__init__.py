"""What each issue promised, shown: `./dev prove N`."""

"""The process that keeps a region's part of quotas that several regions share."""

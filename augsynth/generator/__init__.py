"""The base class of every generator, in three floors: what authors write, what the core calls, what users call."""

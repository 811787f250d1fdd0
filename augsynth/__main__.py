"""python -m augsynth"""

from augsynth.cli import main

main()

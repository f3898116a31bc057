"""What gunicorn reads by itself when it is started in a checkout: deploy/gunicorn.conf.py.

So `gunicorn 'app:create_app()'` runs as it does in production. Options on its command line win.
"""

import runpy
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parent

# The configuration imports the application's server hook, and gunicorn adds the working directory
# to the path only later, in its workers.
sys.path.insert(0, str(_ROOT))

globals().update(
    (name, value)
    for name, value in runpy.run_path(str(_ROOT / "deploy" / "gunicorn.conf.py")).items()
    if not name.startswith("__"))

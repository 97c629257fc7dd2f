"""Writes lambda-model.json: what the newest botocore says of every Lambda operation's name, method, URI and status.

Run it after `pip install --upgrade botocore`:  python3 Tests/ConformanceTests/extract_model.py
"""

import json
import pathlib

import botocore
import botocore.loaders


def main():
    model = botocore.loaders.Loader().load_service_model("lambda", "service-2")
    operations = {
        name: {
            "method": operation["http"]["method"],
            "uri": operation["http"]["requestUri"],
            "status": operation["http"].get("responseCode", 200),
        }
        for name, operation in sorted(model["operations"].items())
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(binding)}" for name, binding in operations.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    pathlib.Path(__file__).with_name("lambda-model.json").write_text(text)
    print(f"botocore {botocore.__version__}: {len(operations)} operations")


if __name__ == "__main__":
    main()

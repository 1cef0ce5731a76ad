import pytest


@pytest.fixture
def write(tmp_path):
    """Write text or bytes to a file in a fresh folder and return its path."""

    def _write(name, content):
        path = tmp_path / name
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    return _write

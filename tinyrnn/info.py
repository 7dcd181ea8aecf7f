"""What a report of a fault should say: versions, the BLAS library, its threads, which extras are there."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from importlib import metadata

import numpy as np

_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def report() -> str:
    """Return a table of what tinyrnn runs on, a line each.

    Examples
    --------
    >>> print(report().splitlines()[0])
    tinyrnn  ...
    """
    rows = list(_rows())
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(f"{name:{width}}{value}" for name, value in rows)


def _rows() -> Iterator[tuple[str, str]]:
    yield "tinyrnn", version("tinyrnn") or "not installed"
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()})"
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores"
    yield "NumPy", np.__version__
    yield "BLAS", _blas()
    yield "threads", _threads()
    for extra, packages in _extras().items():
        found = [f"{name} {version(name) or 'missing'}" for name in packages]
        yield f"[{extra}]", ", ".join(found)


def version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _blas() -> str:
    found = np.show_config(mode="dicts")
    blas = (found or {}).get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _threads() -> str:
    """Return what limits the threads of products, and how many there are, as far as it can be told."""
    limits = [f"{name}={os.environ[name]}" for name in _THREADS if name in os.environ]
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return ", ".join(limits) or "not limited (threadpoolctl would tell how many)"
    pools = [f"{pool['num_threads']} of {pool['internal_api']}" for pool in threadpool_info()]
    return ", ".join([*pools, *limits]) or "unknown"


def _extras() -> dict[str, list[str]]:
    """Return the packages of each extra, as the installed tinyrnn asks for them."""
    try:
        requirements = metadata.requires("tinyrnn") or []
    except metadata.PackageNotFoundError:
        return {}
    found: dict[str, list[str]] = {}
    for requirement in requirements:
        name, extra = re.match(r"[\w.-]+", requirement), re.search(r"extra == ['\"]([\w-]+)", requirement)
        if name is not None and extra is not None and name[0] != "tinyrnn":
            found.setdefault(extra[1], []).append(name[0])
    return {extra: found[extra] for extra in sorted(found)}

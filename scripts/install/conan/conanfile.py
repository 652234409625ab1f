"""The library as a Conan package, from the checkout that this lies in: `conan create scripts/install/conan`. It needs Rust and make,
as `make` does. tests/install/conan.sh tries it."""
import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class Hakmem(ConanFile):
    name = "hakmem"
    description = "A fast, lean malloc for Linux whose metadata lies out of line: linking it replaces the process's allocator"
    license = "MIT"
    topics = "malloc", "allocator", "memory"
    package_type = "library"
    settings = "os", "arch" # Rust builds it, whatever the C compiler and its build type are
    options = {"shared": [True, False]}
    default_options = {"shared": True}

    def set_version(self):
        cargo = load(self, os.path.join(self.recipe_folder, "../../../Cargo.toml"))
        self.version = re.search(r'^version = "(.*)"', cargo, re.M)[1]

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "../../..")
        for pattern in "src/*", "examples/*", "include/*", "scripts/*", "docs/*", ".cargo/*", "*.toml", "Cargo.lock", "build.rs", "*.md", "LICENSE":
            copy(self, pattern, root, self.export_sources_folder)

    def validate(self):
        if self.settings.os != "Linux" or self.settings.arch not in ("x86_64", "armv8"):
            raise ConanInvalidConfiguration("hakmem is for Linux on x86-64 and arm64")

    def build(self):
        self.run("scripts/build.sh")

    def package(self):
        # Without the command: that is a program, of `make cli`.
        self.run(f"env -u DESTDIR PREFIX={self.package_folder} COMMAND=none scripts/install.sh")
        copy(self, "LICENSE", self.build_folder, os.path.join(self.package_folder, "licenses"))
        unwanted = "libhakmem.a" if self.options.shared else "libhakmem.so*"
        self.run(f"cd {self.package_folder} && rm -rf share lib/cmake lib/pkgconfig lib/{unwanted}") # Conan writes files of its own for CMake and pkg-config

    def package_info(self):
        self.cpp_info.libs = ["hakmem"]
        self.cpp_info.set_property("pkg_config_name", "hakmem")
        self.cpp_info.set_property("cmake_file_name", "hakmem")
        self.cpp_info.set_property("cmake_target_name", "hakmem::hakmem" if self.options.shared else "hakmem::hakmem-static")
        if not self.options.shared:
            # A program that calls malloc only through other libraries would leave the archive unused.
            self.cpp_info.exelinkflags = ["-Wl,--undefined=malloc"]
            self.cpp_info.system_libs = ["pthread", "dl"]

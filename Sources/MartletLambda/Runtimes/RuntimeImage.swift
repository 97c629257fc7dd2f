// An OCI image as the root file system of a managed runtime: AWS's base images give exact parity, and any image with
// the interpreter will do.
import MartletCore
import MartletSandbox
import MartletStore

package struct RuntimeImage: Sendable, Equatable {
  /// The image's files on this host.
  package let tree: String
  /// nil for runtimes that have none.
  package let interpreter: Interpreter?
  /// Where it came from.
  package let source: String

  /// nil if no image is there.
  init?(in directory: String) {
    guard let text = try? Files.read("\(directory)/\(RuntimePack.manifest)"),
      let pack = try? RuntimePack(manifest: String(decoding: text, as: UTF8.self)), pack.isRoot
    else { return nil }
    tree = "\(directory)/\(RuntimePack.tree)"
    source = pack.source
    interpreter =
      pack.program.isEmpty
      ? nil
      : Interpreter(
        family: pack.family, version: pack.version, path: "\(tree)/\(pack.program)", isPacked: true, root: tree)
  }

  /// The image's own runtime, which AWS's base images have.
  static let bootstrap = "/var/runtime/bootstrap"

  /// The interpreter of an identifier in an image, without a slash before it; nil if it is not there.
  static func find(_ identifier: RuntimeIdentifier, in root: ImageRoot) -> String? {
    let version = identifier.version ?? ""
    let names: [String] =
      switch identifier.family {
      case .python: ["python\(version)"]
      case .nodejs: ["node"]
      case .java: ["java"]
      case .ruby: ["ruby\(version)", "ruby"]
      case .provided, .dotnet, .go: []
      }
    let directories = ["/var/lang/bin", "/usr/local/bin", "/usr/bin", "/opt/java/openjdk/bin"]
    let candidates = directories.flatMap { directory in names.map { "\(directory)/\($0)" } }
    return candidates.first { root.hasProgram($0, from: "/") }.map { String($0.dropFirst()) }
  }
}

extension RuntimeRoot {
  /// The root for a function whose runtime is an image: `code` becomes /var/task, and `layers`, if there are any, /opt.
  /// - Parameters:
  ///   - family: whose bootstrap of ours becomes /var/runtime; nil if the image has its own.
  ///   - hasFileSystems: more will be mounted below /mnt.
  func mounts(
    root: ImageRoot, bootstrap family: RuntimeFamily?, code: String, layers: String?, hasFileSystems: Bool
  ) -> [SandboxSpecification.Mount] {
    var own: [SandboxSpecification.Mount] = [.bind(source: code, target: "/var/task")]
    own.append(layers.map { .bind(source: $0, target: "/opt") } ?? .directory("/opt"))
    if let family { own.append(.bind(source: bootstrapDirectory(family), target: "/var/runtime")) }
    let hidden = Set(own.map(\.target))
    return root.mounts(opening: hasFileSystems ? ["mnt", "var"] : ["var"]).filter { !hidden.contains($0.target) } + own
      + [resolver].compactMap { $0 }
  }
}

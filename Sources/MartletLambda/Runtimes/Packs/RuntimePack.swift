// An interpreter that lies below the state directory: a tree of files and a manifest that says what it is.
import MartletCore
import MartletStore
import MartletWire

package struct RuntimePack: Sendable, Equatable {
  /// The identifier that it was made for; it serves all of its family and version.
  package let runtime: String
  package let family: RuntimeFamily
  package let version: String
  /// The interpreter, below the tree.
  package let program: String
  /// Where it came from, for people.
  package let source: String
  /// SHA-256 over the tree, hexadecimal (PackTree.digest).
  package let digest: String
  /// The tree is a whole root file system, of an image.
  package let isRoot: Bool

  package static let manifest = "pack.json"
  package static let tree = "tree"

  /// Where packs lie, one directory each.
  package static func directory(state: String) -> String { "\(state)/runtimes/packs" }

  package init(
    runtime: String, family: RuntimeFamily, version: String, program: String, source: String, digest: String,
    isRoot: Bool = false
  ) {
    self.runtime = runtime
    self.family = family
    self.version = version
    self.program = program
    self.source = source
    self.digest = digest
    self.isRoot = isRoot
  }

  /// - Throws: a `Fault` that says what the manifest lacks.
  package init(manifest text: String) throws(Fault) {
    guard let value = try? JSONValue(parsing: text) else { throw Fault(RuntimePack.manifest, "it is not JSON") }
    func field(_ name: String) throws(Fault) -> String {
      guard let text = value[name]?.string, !text.isEmpty else {
        throw Fault(RuntimePack.manifest, "\(name) is missing")
      }
      return text
    }
    runtime = try field("Runtime")
    version = try field("Version")
    isRoot = value["Root"]?.bool ?? false
    // An OS-only runtime has no interpreter.
    program = isRoot ? value["Program"]?.string ?? "" : try field("Program")
    source = try field("Source")
    digest = try field("SHA256")
    guard let family = RuntimeFamily(rawValue: try field("Family")),
      RuntimeCatalog.identifier(runtime)?.family == family
    else { throw Fault(RuntimePack.manifest, "\(runtime) is no runtime of this version of Martlet") }
    self.family = family
    guard !program.hasPrefix("/"), !program.split(separator: "/").contains("..") else {
      throw Fault(RuntimePack.manifest, "\(program) lies outside of the pack")
    }
  }

  package var manifestText: String {
    JSONValue.members(
      ("Runtime", .string(runtime)), ("Family", .string(family.rawValue)), ("Version", .string(version)),
      ("Program", .string(program)), ("Source", .string(source)), ("SHA256", .string(digest)),
      ("Root", isRoot ? .bool(true) : nil)
    ).text + "\n"
  }

  /// The interpreters of all packs in a directory. What is no whole pack is passed over.
  package static func interpreters(in directory: String) -> [Interpreter] {
    Files.names(in: directory).filter { !$0.hasPrefix(".") }.sorted().compactMap { name in
      guard let text = try? Files.read("\(directory)/\(name)/\(manifest)"),
        let pack = try? RuntimePack(manifest: String(decoding: text, as: UTF8.self)), !pack.isRoot
      else { return nil }
      return Interpreter(
        family: pack.family, version: pack.version, path: "\(directory)/\(name)/\(tree)/\(pack.program)",
        isPacked: true)
    }
  }
}

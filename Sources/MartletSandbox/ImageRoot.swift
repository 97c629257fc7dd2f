// The tree of an image as the root of a sandbox: what is mounted of it, and what is where in it.
import CArchive  // whose headers bring the compiler its `stat`
import CMartlet
import Glibc
import MartletCore

package struct ImageRoot: Sendable {
  /// The tree on the host.
  package let path: String
  /// Each thing at the top of the tree.
  package let mounts: [SandboxSpecification.Mount]

  /// A sandbox makes these itself.
  private static let made: Set<String> = ["proc", "dev", "tmp"]
  /// More of them do not fit into a sandbox.
  static let maximumMounts = 200

  /// Reads the top of the tree.
  /// - Throws: a `Fault` if the tree is not there, or has too many things at its top.
  package init(path: String) throws(Fault) {
    self.path = path
    let top = try TreeDirectory(path: path)
    mounts = try ImageRoot.mounts(of: top, at: path, as: "").filter { mount in
      !ImageRoot.made.contains(String(mount.target.dropFirst()))
    }
    guard mounts.count <= ImageRoot.maximumMounts else {
      throw Fault("mount the image", "it has more than \(ImageRoot.maximumMounts) files and directories at its top")
    }
  }

  /// The mounts with directories of the top replaced by some that more can be mounted into.
  package func mounts(opening names: [String]) -> [SandboxSpecification.Mount] {
    let targets = names.map { "/" + $0 }
    var all = mounts.filter { !targets.contains($0.target) }
    for (name, target) in zip(names, targets) {
      all.append(.directory(target))
      guard let top = try? TreeDirectory(path: path), let inner = top.directory(Array(name.utf8CString)) else {
        continue
      }
      let below = (try? ImageRoot.mounts(of: inner, at: path + target, as: target)) ?? []
      all += below.prefix(max(0, ImageRoot.maximumMounts - all.count))
    }
    return all
  }

  private static func mounts(
    of directory: TreeDirectory, at path: String, as target: String
  ) throws(Fault) -> [SandboxSpecification.Mount] {
    var mounts: [SandboxSpecification.Mount] = []
    for name in try directory.names().sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard let status = directory.look(at: name) else { continue }
      // Orders to the sandbox process are text; names that are none cannot be mounted.
      let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
      guard let text = String(validating: bytes, as: UTF8.self) else { continue }
      if status.st_mode & 0o170000 == 0o120000 {
        var link = [UInt8](repeating: 0, count: 4096)
        let count = readlinkat(directory.descriptor, name, &link, link.count)
        guard count > 0, let to = String(validating: link[0..<count], as: UTF8.self) else { continue }
        mounts.append(.symlink(to: to, at: "\(target)/\(text)"))
      } else {
        mounts.append(.bind(source: "\(path)/\(text)", target: "\(target)/\(text)"))
      }
    }
    return mounts
  }

  /// The executable files of a directory, in order; links count as such, because where they lead is known in the
  /// sandbox only. None if there is no such directory.
  package func programs(in directory: String) -> [String] {
    guard let top = try? TreeDirectory(path: path) else { return [] }
    let found = top.openInside(Array(directory.utf8CString), O_RDONLY | O_DIRECTORY)
    guard found >= 0 else { return [] }
    let inner = TreeDirectory(adopting: found)
    return ((try? inner.names()) ?? []).filter { name in
      guard let status = inner.look(at: name) else { return false }
      let kind = status.st_mode & 0o170000
      return kind == 0o120000 || (kind == 0o100000 && status.st_mode & 0o111 != 0)
    }.map(TreeDirectory.text).sorted()
  }

  /// True if a program could be started by this path, with the tree as "/".
  package func hasProgram(_ program: String, from directory: String) -> Bool {
    let whole = program.hasPrefix("/") ? program : "\(directory)/\(program)"
    guard let top = try? TreeDirectory(path: path) else { return false }
    let found = cm_look_in_root(top.descriptor, whole)
    guard found >= 0 else { return false }
    defer { close(found) }
    var status = stat()
    return fstat(found, &status) == 0 && status.st_mode & 0o170000 == 0o100000 && status.st_mode & 0o111 != 0
  }
}

extension SandboxSpecification.Mount {
  /// Where it stands in the sandbox.
  package var target: String {
    switch self {
    case .bind(_, let target), .writable(_, let target), .symlink(_, let target), .directory(let target),
      .file(_, let target):
      target
    }
  }
}

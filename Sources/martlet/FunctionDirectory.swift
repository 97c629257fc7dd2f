// Tells the server that a function runs from a directory of this host.
import ArgumentParser
import FoundationEssentials
import Glibc
import MartletCore
import MartletServer
import MartletWire

enum FunctionDirectory {
  /// Proves by a file, which is there for as long as the call lasts, that this user may write in the directory.
  static func put(_ directory: String, of name: String, _ server: ServerOptions) async throws {
    guard let resolved = realpath(directory, nil) else {
      throw ValidationError("--watch: \(directory): \(systemErrorText(errno))")
    }
    defer { free(resolved) }
    let path = String(cString: resolved)
    let world = RealWorld()
    let proof = ".martlet-\(randomHex(32, from: world)).swp"
    guard case let file = open("\(path)/\(proof)", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644), file >= 0 else {
      throw ValidationError("--watch: \(directory): \(systemErrorText(errno))")
    }
    close(file)
    defer { unlink("\(path)/\(proof)") }
    var body = JSONWriter()
    body.value(.object([.init("Directory", .string(path)), .init("Proof", .string(proof))]))
    _ = try await server.call(
      .put, "/_martlet/functions/\(Percent.encode(name))/directory", headers: [("Content-Type", "application/json")],
      body: body.buffer)
  }
}

// Deployment packages: checked, unpacked, stored, and served again under a link that expires.
import MartletCore
import MartletSandbox
import MartletStore
import MartletWire
import NIOCore
import NIOPosix

package struct CodePackages: Sendable {
  private let blobs: Blobs
  let trees: CodeTrees
  package let images: FunctionImages
  private let limits: LambdaLimits
  private let world: any World
  private let threads: NIOThreadPool
  /// Signs links; made anew at each start, so links do not outlive the server.
  private let linkKey: [UInt8]

  package init(
    blobs: Blobs, trees: CodeTrees, images: FunctionImages, limits: LambdaLimits, world: any World,
    threads: NIOThreadPool = .singleton
  ) {
    self.blobs = blobs
    self.trees = trees
    self.images = images
    self.limits = limits
    self.world = world
    self.threads = threads
    linkKey = (0..<4).flatMap { _ in withUnsafeBytes(of: world.random()) { Array($0) } }
  }

  /// Checks and stores the zip of a request. When this returns, the package is on disk, packed and unpacked; when it
  /// throws, nothing is left of it.
  package func store(_ zip: ByteBuffer) async throws(AWSError) -> CodePackage {
    guard zip.readableBytes > 0 else { throw .invalidParameter("Uploaded file must be a non-empty zip") }
    guard zip.readableBytes <= limits.codeSizeZipped.bytes else {
      throw AWSError(
        "RequestEntityTooLargeException", status: 413,
        "Zipped size must be smaller than \(limits.codeSizeZipped.bytes) bytes", type: nil)
    }
    return try await store { body in zip.withUnsafeReadableBytes(body) }
  }

  /// Checks and stores the zip of an object in S3, which may be larger than one in a request.
  package func store(_ zip: OpenFile) async throws(AWSError) -> CodePackage {
    guard zip.size > 0 else { throw .invalidParameter("Uploaded file must be a non-empty zip") }
    return try await store { body in zip.withBytes(body) }
  }

  private typealias Stored = Result<CodePackage, AWSError>

  private func store(
    _ withBytes: @escaping @Sendable ((UnsafeRawBufferPointer) -> Stored) -> Stored
  ) async throws(AWSError) -> CodePackage {
    let (blobs, trees, limit) = (blobs, trees, limits.codeSizeUnzipped)
    let result: Stored
    do {
      result = try await threads.runIfActive {
        withBytes { bytes in
          let digest = Digest.sha256(bytes)
          let key = Digest.hex(digest)
          do throws(CodeArchive.Flaw) {
            let size = try trees.unpack(bytes, key: key, limit: limit)
            do throws(Fault) { try blobs.put(bytes, key: key) } catch { throw .host(error) }
            return .success(
              CodePackage(key: key, sha256: Base64.encode(digest), size: bytes.count, unpackedSize: size.bytes))
          } catch {
            return .failure(CodePackages.error(error, limit: limit))
          }
        }
      }
    } catch {
      throw .service("code packages: \(error)")
    }
    return try result.get()
  }

  /// Sees to it that the unpacked code is there, as after a crash or a removed tree.
  package func hasSignature(_ package: CodePackage) -> Bool {
    Files.names(in: "\(trees.path(package.key))/META-INF").contains { $0.hasPrefix("aws_signer_signature") }
  }

  /// Whether all that a version of a package runs is there: its code, its layers, and the layers as one tree.
  package func isReady(_ configuration: FunctionConfiguration) -> Bool {
    configuration.packageKeys.allSatisfy { Files.exists(trees.path($0)) }
  }

  /// Unpacks what of that is missing, from the stored packages.
  package func ensureReady(_ configuration: FunctionConfiguration) async throws(Fault) {
    if isReady(configuration) { return }
    let packages = self
    let unpacked: Result<Void, Fault>
    do {
      unpacked = try await threads.runIfActive {
        Result { () throws(Fault) in try packages.unpackMissing(configuration) }
      }
    } catch {
      throw Fault("unpack stored packages", "\(error)")
    }
    try unpacked.get()
  }

  private func unpackMissing(_ configuration: FunctionConfiguration) throws(Fault) {
    try ensureUnpacked(configuration.code)
    for layer in configuration.layers { try ensureUnpacked(layer.package) }
    guard configuration.layers.count > 1, let tree = configuration.layerTree else { return }
    try trees.merge(configuration.layers.map(\.package.key), as: tree)
  }

  private func ensureUnpacked(_ package: CodePackage) throws(Fault) {
    if Files.exists(trees.path(package.key)) { return }
    let unpacked = try OpenFile(path: blobs.path(package.key)).withBytes { raw in
      Result { () throws(CodeArchive.Flaw) in
        try trees.unpack(raw, key: package.key, limit: limits.codeSizeUnzipped)
      }
    }
    if case .failure(let flaw) = unpacked { throw Fault("unpack stored package \(package.key)", "\(flaw)") }
  }

  /// The name of the tree that has the files of several packages; one package's own tree needs no other.
  package static func layerTree(_ packages: [CodePackage]) -> String? {
    guard packages.count > 1 else { return packages.first?.key }
    let list = packages.reduce(into: "layers") { $0 += "\n\($1.key)" }
    return Digest.hex(Array(list.utf8).withUnsafeBytes { Digest.sha256($0) })
  }

  /// Removes packages that no version and no environment uses, if nobody has touched them for `age`.
  package func collect(keeping used: Set<String>, olderThan age: Duration) async {
    let (blobs, trees, images) = (blobs, trees, images)
    _ = try? await threads.runIfActive {
      images.collect(keeping: used, olderThan: age)
      trees.collect(keeping: used, olderThan: age)
      return blobs.collect(keeping: used, olderThan: age)
    }
  }

  /// The directory that becomes /var/task: with what was compiled of it, if there is an interpreter that takes it.
  package func directory(_ package: CodePackage, compiledFor interpreter: Interpreter? = nil) -> String {
    compiled(package.key, at: "/var/task", for: interpreter) ?? trees.path(package.key)
  }

  /// The directory that becomes /opt; nil if a version has no layers.
  package func layerDirectory(
    _ configuration: FunctionConfiguration, compiledFor interpreter: Interpreter? = nil
  ) -> String? {
    configuration.layerTree.map { compiled($0, at: "/opt", for: interpreter) ?? trees.path($0) }
  }

  private func compiled(_ key: String, at target: String, for interpreter: Interpreter?) -> String? {
    guard let interpreter, PackageCompiler.families.contains(interpreter.family) else { return nil }
    let tree = trees.path(PackageCompiler.tree(key, at: target, for: interpreter))
    return Files.exists(tree) ? tree : nil
  }

  private static func error(_ flaw: CodeArchive.Flaw, limit: ByteCount) -> AWSError {
    switch flaw {
    case .malformed:
      .invalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
    case .empty: .invalidParameter("Uploaded file must be a non-empty zip")
    case .tooLarge: .unzippedTooLarge(limit)
    case .unsafeEntry(let name):
      .invalidParameter(
        "Could not unzip uploaded file: the entry '\(name.prefix(200))' is not a file, directory or link inside of the "
          + "package. Please check your file, then try to upload again.")
    case .host(let fault): .service("\(fault)")
    }
  }

  // MARK: - Links

  private static let linkPrefix = "/_martlet/code/"

  /// An address that serves the zip for ten minutes, as a presigned one of S3 does.
  package func link(to package: CodePackage, host: String) -> String {
    let expires = (world.now() + limits.codeLinkLifetime).seconds
    return
      "http://\(host)\(CodePackages.linkPrefix)\(package.key)?Expires=\(expires)&Signature=\(signature(package.key, expires))"
  }

  /// The answer to a request for such an address; nil if it is not one.
  package func serve(_ request: HTTPRequest) -> HTTPReply? {
    guard request.path.hasPrefix(CodePackages.linkPrefix) else { return nil }
    let key = String(request.path.dropFirst(CodePackages.linkPrefix.count))
    let query = request.queryParameters
    let expires = query.first { $0.name == "Expires" }.flatMap { Int64($0.value) } ?? 0
    let given = query.first { $0.name == "Signature" }?.value
    guard given == signature(key, expires), expires >= world.now().seconds else {
      return HTTPReply(
        status: 403, headers: [("Content-Type", "text/plain")], body: ByteBuffer(string: "The link has expired.\n"))
    }
    guard let file = try? OpenFile(path: blobs.path(key)) else {
      return HTTPReply(
        status: 404, headers: [("Content-Type", "text/plain")], body: ByteBuffer(string: "No such package.\n"))
    }
    var reply = HTTPReply(status: 200, headers: [("Content-Type", "application/zip")])
    reply.file = HTTPReply.FileBody(file: file, range: 0..<file.size)
    return reply
  }

  private func signature(_ key: String, _ expires: Int64) -> String { Digest.hmac(key: linkKey, "\(key) \(expires)") }
}

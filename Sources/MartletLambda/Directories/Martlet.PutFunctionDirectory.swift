// Martlet's own: lets $LATEST of a function run from a directory of the host, or ends that.
import Glibc
import MartletCore
import MartletWire

/// The namespace of operations that AWS does not have; they are under `/_martlet/`, and not for functions.
enum MartletOperations {
  enum PutFunctionDirectory: Operation {
    static let route = Route.rest("Martlet.PutFunctionDirectory", .put, "/_martlet/functions/{FunctionName}/directory")

    struct Input: Readable {
      let name: FunctionNameParts?
      let directory: String
      /// The name of a file in the directory, by which the caller proves that he may write there.
      let proof: String

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName(.unqualified)
        let m = try r.smallBody("PutFunctionDirectory")
        directory = m.required("Directory", .length(1, 4096))
        proof = m.required("Proof", .pattern(PutFunctionDirectory.proofPattern))
      }
    }

    static let proofPattern = Pattern(#"\.martlet-[0-9a-f]{32}\.swp"#)

    struct Output: Writable {
      let path: String

      func write(to w: inout Writer) { w.body { $0.member("Directory", path) } }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let directories = lambda.line.directories else { throw .notImplemented("PutFunctionDirectory") }
      let found = try lambda.function(input.name, call)
      let record = try lambda.record(found)
      guard record.latest.packageType == "Zip" else {
        throw .invalidParameter("A function of an image cannot run from a directory.")
      }
      guard let resolved = realpath(input.directory, nil) else {
        throw .directoryCannotRun(input.directory, Fault("look at it", errno: errno))
      }
      defer { free(resolved) }
      let path = String(cString: resolved)
      // Whoever can put a file there decides what is there anyway; nobody else gets to see the directory.
      var status = stat()
      guard lstat("\(path)/\(input.proof)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
        throw AWSError(
          "AccessDeniedException", status: 403,
          "\(path) has no file \(input.proof), or the server's user cannot enter it (martlet serve --user)",
          messageKey: .upper)
      }
      let directory = WatchedDirectory(path: path)
      // Said now rather than at the first invocation.
      _ = try await directories.current(record.latest, in: directory)
      try await lambda.functions.update(found.key) { (record: inout FunctionRecord) throws(AWSError) in
        record.directories[""] = directory
      }
      return Output(path: path)
    }
  }
}

extension LambdaService {
  /// The table of Martlet's own operations on functions.
  package static let operatorRows: [OperationRow<LambdaService>] = [
    .init(MartletOperations.DeleteFunctionDebugging.self),
    .init(MartletOperations.PutFunctionDebugging.self),
    .init(MartletOperations.PutFunctionDirectory.self),
  ]
}

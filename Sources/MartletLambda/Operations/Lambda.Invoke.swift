// Invoke: runs a function and waits for it, keeps an event for it (`Event`), or checks that it could run (`DryRun`).
// https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and reference/invoke.md 2.1
import MartletCore
import MartletWire
import NIOCore

extension Lambda {
  enum Invoke: Operation {
    static let route = Route.rest("Lambda.Invoke", .post, "/2015-03-31/functions/{FunctionName}/invocations")

    enum InvocationType: String {
      case requestResponse = "RequestResponse"
      case event = "Event"
      case dryRun = "DryRun"
    }

    struct Input: Readable {
      let name: FunctionNameParts?
      let qualifier: String?
      let type: InvocationType
      let wantsLog: Bool
      let clientContext: String?
      let tenant: String?
      let payload: ByteBuffer
      let payloadExceedsLimit: Bool

      init(_ r: Reader) throws(AWSError) { try self.init(r, types: ["Event", "RequestResponse", "DryRun"]) }

      /// - Parameter types: the invocation types that the operation has.
      init(_ r: Reader, types: [String]) throws(AWSError) {
        name = r.functionName()
        qualifier = r.qualifier()
        type =
          r.header("X-Amz-Invocation-Type", as: "invocationType", .oneOf(types)).flatMap { .init(rawValue: $0) }
          ?? .requestResponse
        wantsLog = r.header("X-Amz-Log-Type", as: "logType", .oneOf(["None", "Tail"])) == "Tail"
        clientContext = r.header("X-Amz-Client-Context", as: "clientContext")
        // Checked only: what it asks for is not built yet (UNIMPLEMENTED.txt).
        _ = r.header("X-Amz-Durable-Execution-Name", as: "durableExecutionName", .length(1, 64), .pattern(Invoke.name))
        tenant = r.header("X-Amz-Tenant-Id", as: "tenantId", .length(1, 256), .pattern(Invoke.tenant))
        payload = r.payload
        payloadExceedsLimit = r.request.bodyExceedsLimit
      }
    }

    private static let name = Pattern("[a-zA-Z0-9-_]+")
    private static let tenant = Pattern(#"[a-zA-Z0-9\._:\/=+\-@ ]+"#)

    struct Output: Writable {
      /// nil for `DryRun` and `Event`.
      let reply: Reply?
      /// Of an answer without a reply.
      var status = 204

      func write(to w: inout Writer) {
        w.header("x-amzn-Remapped-Content-Length", "0")
        guard let reply else {
          w.status = status
          w.payload(ByteBuffer())
          return
        }
        w.header("X-Amz-Executed-Version", reply.executedVersion.description)
        w.header("X-Amz-Function-Error", reply.functionError)
        w.header("X-Amz-Log-Result", reply.log.map { Base64.encode($0) })
        w.header("X-Amzn-Trace-Id", reply.traceHeader)
        w.payload(reply.payload)
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      guard let invocation = try await checked(input, call, lambda) else { return Output(reply: nil) }
      if input.type == .event {
        try lambda.line.check(invocation.function, tenant: input.tenant)
        try await lambda.events.accept(invocation)
        return Output(reply: nil, status: 202)
      }
      return Output(reply: try await lambda.line.invoke(invocation))
    }

    /// What is to be invoked, after everything that can be said before; nil for `DryRun`.
    static func checked(
      _ input: Input, _ call: Call, _ lambda: LambdaService, acceptsStream: Bool = false
    ) async throws(AWSError) -> Invocation? {
      let reference = try lambda.reference(input.name, qualifier: input.qualifier, call)
      let limit = input.type == .event ? lambda.limits.asynchronousInvokeRequest : lambda.limits.invokeRequest
      if input.payloadExceedsLimit || input.payload.readableBytes > limit.bytes { throw .payloadTooLarge(limit: limit) }
      if input.payload.readableBytes > 0, let flaw = JSONScanner.flaw(in: input.payload) {
        // AWS says 404 rather than 400 if the function does not exist.
        try await lambda.line.rehearse(reference, tenant: input.tenant)
        throw .payloadNotJSON("\(flaw.reason)\n at [Source: (byte[]); byte offset: #\(flaw.offset)]")
      }
      let context = try input.clientContext.map { (text) throws(AWSError) in try decode(clientContext: text) }
      if input.type == .dryRun {
        try await lambda.line.rehearse(reference, tenant: input.tenant)
        return nil
      }
      return Invocation(
        function: reference, payload: input.payload, wantsLog: input.wantsLog, clientContext: context,
        requestID: call.requestID, traceHeader: call.traceHeader, tenant: input.tenant, acceptsStream: acceptsStream)
    }

    /// Base64 of a JSON object; it becomes a header, so line ends in it are spaces.
    private static func decode(clientContext text: String) throws(AWSError) -> String {
      guard text.utf8.count <= 3583, let decoded = Base64.decode(text), JSONScanner.flaw(in: decoded) == nil else {
        throw AWSError(
          "InvalidRequestContentException", status: 400,
          "Client context must be a valid Base64-encoded JSON object of at most 3583 bytes.")
      }
      return String(buffer: decoded).split(whereSeparator: \.isNewline).joined(separator: " ")
    }
  }
}

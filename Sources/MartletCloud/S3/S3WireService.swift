// S3 on the wire: a request's address and sub-resource name the operation; errors are XML.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

package struct S3WireService: WireService {
  private enum Level { case service, bucket, object }

  private let service: S3Service
  private let door: Door
  /// Rows by method and level; those with a sub-resource first.
  private let rows: [(level: Level, row: OperationRow<S3Service>)]
  /// Query parameters that make a request one for a sub-resource, whether there is a row for it or not.
  private let selectors: Set<String>

  /// Operations that are on the wire what others are that came after them.
  private static let replaced = [
    "GetBucketLifecycle", "GetBucketNotification", "PutBucketLifecycle", "PutBucketNotification",
  ]
  /// What a bucket may have several of: a request without an id is for all.
  private static let listed = ["analytics", "intelligent-tiering", "inventory", "metrics"]

  package init(_ service: S3Service, door: Door) {
    self.service = service
    self.door = door
    let rows = S3Service.rows.map { row in
      let segments = row.route.path.split(separator: "/").count
      return (segments == 0 ? Level.service : segments == 1 ? .bucket : .object, row)
    }
    // Those with a sub-resource first; of two with the same one, that which replaced the other.
    func rank(_ row: OperationRow<S3Service>) -> Int {
      row.route.selector == nil ? 2 : S3WireService.replaced.contains(row.route.action) ? 1 : 0
    }
    self.rows = rows.sorted { rank($0.1) < rank($1.1) }
    selectors = Set(rows.compactMap { $0.1.route.selector?.name })
  }

  /// Answers a request; never throws, because errors are answers too.
  package func answer(_ given: HTTPRequest, _ call: Call) async -> HTTPReply {
    var reply: HTTPReply
    let request = S3Presigned.unfolded(given)
    let address = S3Address(request)
    do throws(AWSError) {
      try S3Presigned.check(request, at: service.world.hostNow())
      guard address.isText else { throw .invalidURI() }
      if request.method == .OPTIONS {
        reply = try await preflight(request, address)
      } else if request.method == .POST, let bucket = address.bucket, address.key == nil,
        S3WireService.isForm(request.headers)
      {
        reply = try await service.answerForm(request, bucket: Percent.decode(bucket), call)
      } else {
        reply = try await run(request, address, call)
      }
    } catch {
      reply = S3WireService.reply(to: error, request, call)
    }
    if let origin = request.header("Origin"), request.method != .OPTIONS {
      let question = S3CORS.Question(origin: origin, method: request.method.rawValue)
      reply.headers += await originHeaders(address, question, isPreflight: false) ?? []
    }
    reply.headers += [
      ("x-amz-request-id", call.requestID.description), ("x-amz-id-2", call.requestID.description),
      ("Server", "AmazonS3"), ("Date", service.world.now().httpDate),
    ]
    return reply
  }

  private func run(_ request: HTTPRequest, _ address: S3Address, _ call: Call) async throws(AWSError) -> HTTPReply {
    let row = try row(for: request, address)
    try await checkOwners(request, address)
    var parameters: [(name: String, value: Substring)] = []
    if let bucket = address.bucket { parameters.append(("Bucket", bucket)) }
    if let key = address.key { parameters.append(("Key", key)) }
    return try await row.run(Reader(request, parameters: parameters), call, door, service)
  }

  /// Whoever says whose buckets they must be gets nothing from those of others.
  private func checkOwners(_ request: HTTPRequest, _ address: S3Address) async throws(AWSError) {
    if let owner = request.header("x-amz-expected-bucket-owner"), let bucket = address.bucket {
      try await checkOwner(owner, of: Percent.decode(bucket), "x-amz-expected-bucket-owner")
    }
    if let owner = request.header("x-amz-source-expected-bucket-owner"),
      let source = request.header("x-amz-copy-source")
    {
      try await checkOwner(owner, of: try S3CopySource(source).bucket, "x-amz-source-expected-bucket-owner")
    }
  }

  private func checkOwner(_ owner: String, of name: String, _ header: String) async throws(AWSError) {
    guard Account(owner) != nil else {
      throw .invalidArgument(
        "The value of the expected bucket owner parameter must be an AWS account ID", name: header, value: owner)
    }
    let bucket = try await service.catalogue.read { session throws(Fault) in .success(try session.bucket(name)) }
    guard bucket.map({ $0.place.account.id == owner }) ?? true else { throw .s3AccessDenied() }
  }

  package static func isForm(_ headers: HTTPHeaders) -> Bool {
    headers.first(name: "Content-Type")?.lowercased().hasPrefix("multipart/form-data") == true
  }

  // MARK: - Other origins

  /// What a browser asks before it sends a request to another origin.
  private func preflight(_ request: HTTPRequest, _ address: S3Address) async throws(AWSError) -> HTTPReply {
    guard let origin = request.header("Origin") else {
      throw .s3BadRequest("Insufficient information. Origin request header needed.")
    }
    guard let method = request.header("Access-Control-Request-Method") else {
      throw .s3BadRequest("Invalid Access-Control-Request-Method: null")
    }
    let names = (request.header("Access-Control-Request-Headers") ?? "").split(separator: ",").map {
      String($0).trimmed
    }
    let question = S3CORS.Question(origin: origin, method: method, headers: names.filter { !$0.isEmpty })
    guard let headers = await originHeaders(address, question, isPreflight: true) else {
      throw .originForbidden(isEnabled: await rules(address) != nil)
    }
    return HTTPReply(status: 200, headers: headers)
  }

  /// The rules for other origins of the bucket that a request is about.
  private func rules(_ address: S3Address) async -> XMLElement? {
    guard let bucket = address.bucket else { return nil }
    let name = Percent.decode(bucket)
    do throws(AWSError) {
      return try await service.catalogue.read { session throws(Fault) in
        .success(try session.document(of: .cors, name))
      }
    } catch {
      return nil
    }
  }

  private func originHeaders(
    _ address: S3Address, _ question: S3CORS.Question, isPreflight: Bool
  ) async -> [(name: String, value: String)]? {
    guard let document = await rules(address) else { return nil }
    return S3CORS.headers(document, question, isPreflight: isPreflight)
  }

  // MARK: - Which operation

  private func row(for request: HTTPRequest, _ address: S3Address) throws(AWSError) -> OperationRow<S3Service> {
    let level: Level = address.bucket == nil ? .service : address.key == nil ? .bucket : .object
    let query = request.queryParameters
    let isCopy = request.header("x-amz-copy-source") != nil
    let candidates = rows.filter { $0.level == level && $0.row.route.method.rawValue == request.method.rawValue }
    for (_, row) in candidates {
      if let selector = row.route.selector {
        guard
          query.contains(where: { $0.name == selector.name && (selector.value.isEmpty || $0.value == selector.value) })
        else { continue }
        if row.route.method == .get, S3WireService.listed.contains(selector.name),
          row.route.action.hasPrefix("List") == query.contains(where: { $0.name == "id" })
        {
          continue
        }
      } else if let other = query.first(where: { selectors.contains($0.name) && !isFilter($0.name, row.route.method) })
      {
        throw .notImplemented("S3 \(request.method.rawValue) with ?\(other.name)")
      }
      // The same address, told apart by a header.
      if ["S3.CopyObject", "S3.UploadPartCopy"].contains(row.route.name) != isCopy,
        ["S3.CopyObject", "S3.PutObject", "S3.UploadPartCopy", "S3.UploadPart"].contains(row.route.name)
      {
        continue
      }
      return row
    }
    if level == .bucket, request.method == .POST {
      throw AWSError.preconditionFailed("Bucket POST must be of the enclosure-type multipart/form-data")
    }
    throw .methodNotAllowed(request.method.rawValue)
  }

  /// Some parameters choose an operation of one method, and say something else to another.
  private func isFilter(_ parameter: String, _ method: Route.Method) -> Bool {
    parameter == "list-type" || (parameter == "partNumber" && (method == .get || method == .head))
  }

  /// `<Error><Code>…</Code><Message>…</Message>…<RequestId>…`; without a body where HTTP has none.
  static func reply(to error: AWSError, _ request: HTTPRequest, _ call: Call) -> HTTPReply {
    guard request.method != .HEAD, error.status != 304 else {
      return HTTPReply(status: error.status, headers: error.headers)
    }
    let body = S3Document.text("Error", "") { xml in
      xml.element("Code", code(error))
      xml.element("Message", error.message)
      for member in error.members { xml.element(member.name, member.value) }
      xml.element("Resource", Percent.decode(request.path))
      xml.element("RequestId", call.requestID.description)
      xml.element("HostId", call.requestID.description)
    }
    return HTTPReply(
      status: error.status, headers: [("Content-Type", "application/xml")] + error.headers, body: body)
  }

  /// What every service can answer has other names in S3.
  private static func code(_ error: AWSError) -> String {
    switch error.code {
    case "NotImplementedException": "NotImplemented"
    case "ServiceException": "InternalError"
    case "ValidationException", "SerializationException": "InvalidArgument"
    default: error.code
    }
  }
}

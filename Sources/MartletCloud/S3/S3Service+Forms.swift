// Uploads by forms: an object that a browser sends to a bucket, as far as the form's policy allows it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1

extension S3Service {
  /// Forms are no operation of the model. With a policy, the bucket's owner counts as the caller, because it is his.
  func answerForm(_ request: HTTPRequest, bucket name: String, _ call: Call) async throws(AWSError) -> HTTPReply {
    guard !request.bodyExceedsLimit else { throw .s3TooLarge() }
    if let fault = request.fault { throw .service("\(fault)") }
    let form = try await blocking { () throws(AWSError) in
      try S3Form(.init(request), contentType: request.header("Content-Type") ?? "")
    }
    guard let content = form.content else { throw .formLacks("file") }
    guard content.count <= S3Service.largestUpload.bytes else { throw .s3TooLarge() }
    guard let template = form["key"], !template.isEmpty else { throw .formLacks("key") }
    let policy = form["policy"]
    if let policy {
      guard form["x-amz-signature"] ?? form["signature"] != nil else { throw .formLacks("AWSAccessKeyId") }
      try S3FormPolicy(policy).check(form, bucket: name, size: content.count, at: world.hostNow())
    }
    let key = form.filled(template)
    try S3Headers.check(key: key)
    var headers = request.headers
    headers.remove(name: "Content-Type")
    headers.remove(name: "Content-Length")
    headers.remove(name: "Content-Encoding")
    for field in form.fields where !["policy", "tagging", "file"].contains(field.name) {
      headers.replaceOrAdd(name: S3Service.header(field.name), value: form.filled(field.value))
    }
    var described = HTTPRequest(
      method: .PUT, uri: "/", headers: headers,
      body: request.body.getSlice(at: request.body.readerIndex + content.lowerBound, length: content.count)
        ?? ByteBuffer())
    described.file = request.file
    try S3Headers.check(described)
    var draft = S3Draft()
    try S3Headers.describe(&draft, by: described, at: world.now())
    if let text = form["tagging"] { draft.tags = try S3Service.tags(text) }
    let bucket = try await owned(name, call)
    let (files, body) = (files, S3Body(described, range: request.file == nil ? nil : content))
    let bytes = try await blocking { () throws(AWSError) in try body.store(in: files, summing: .crc64nvme) }
    let caller = policy == nil ? call : call.by(bucket.place)
    let (object, _) = try await put(name, key, draft.with(bytes), caller, as: .post)
    return S3Service.reply(to: form, object, bucket, host: call.host)
  }

  /// The header that a field stands for.
  private static func header(_ field: String) -> String {
    field == "acl" ? "x-amz-acl" : field
  }

  /// Forms have tags as a document.
  private static func tags(_ text: String) throws(AWSError) -> S3Tags {
    guard let element = try? XMLElement(parsing: text.utf8), element.name == "Tagging" else { throw .malformedXML() }
    let tags = S3Tags(try S3Schema.tagging.checked(element))
    if let refusal = tags.refusal(isObject: true) { throw refusal }
    return tags
  }

  private func owned(_ name: String, _ call: Call) async throws(AWSError) -> S3Bucket {
    try await catalogue.read { session throws(Fault) in
      try session.bucket(name).map { .success($0) } ?? .failure(.noSuchBucket(name))
    }
  }

  private static func reply(to form: S3Form, _ object: S3Object, _ bucket: S3Bucket, host: String) -> HTTPReply {
    let location = "http://\(host)/\(bucket.name)/\(Percent.encodePath(object.key))"
    var headers = [("ETag", object.quotedETag), ("Location", location)]
    if let version = object.shownVersion(in: bucket) { headers.append(("x-amz-version-id", version)) }
    if let target = form["success_action_redirect"] ?? form["redirect"], target.hasPrefix("http") {
      let query =
        "bucket=\(Percent.encode(bucket.name))&key=\(Percent.encode(object.key))&etag=\(Percent.encode(object.quotedETag))"
      headers[1].1 = "\(target)\(target.contains("?") ? "&" : "?")\(query)"
      return HTTPReply(status: 303, headers: headers)
    }
    switch form["success_action_status"] {
    case "200": return HTTPReply(status: 200, headers: headers)
    case "201":
      let body = S3Document.text("PostResponse", "") { xml in
        xml.element("Location", location)
        xml.element("Bucket", bucket.name)
        xml.element("Key", object.key)
        xml.element("ETag", object.quotedETag)
      }
      return HTTPReply(status: 201, headers: headers + [("Content-Type", "application/xml")], body: body)
    default: return HTTPReply(status: 204, headers: headers)
    }
  }
}

extension S3Form {
  /// A field's value with the name of the file in it.
  fileprivate func filled(_ value: String) -> String { value.replacing("${filename}", with: filename) }
}

extension Call {
  /// The same call in another place.
  fileprivate func by(_ place: Place) -> Call {
    var call = Call(requestID: requestID, place: place, caller: caller, host: host, traceHeader: traceHeader)
    call.sourceAddress = sourceAddress
    return call
  }
}

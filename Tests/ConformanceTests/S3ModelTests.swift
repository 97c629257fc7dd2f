// S3 against AWS's model: its table, its addresses, and how requests find their operations.
import MartletStore
import MartletWire
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct S3ModelTests {
  /// Those that need hosts of their own: buckets of another kind, and Object Lambda.
  private static let elsewhere = ["ListDirectoryBuckets", "WriteGetObjectResponse"]
  /// Answered with a status that the model does not have, as by AWS.
  private static let quiet = ["PutBucketPolicy", "PutBucketTagging"]
  /// The model tells them by members of the query or the header, not by the address.
  private static let selectors = [
    "AbortMultipartUpload": "?uploadId", "CompleteMultipartUpload": "?uploadId", "ListParts": "?uploadId",
    "UploadPart": "?partNumber", "UploadPartCopy": "?partNumber",
  ]
  static let rows = S3Service.rows.map(\.route)

  @Test func everyOperationHasOneRow() {
    let model = ServiceModel.s3.operations.keys.filter { !S3ModelTests.elsewhere.contains($0) }
    #expect(S3ModelTests.rows.map(\.action) == model.sorted())
  }

  @Test func whatIsMissingIsListed() throws {
    let bytes = try Files.read("\(ServiceModel.here)/../../UNIMPLEMENTED.txt")
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(lines.filter { $0.hasPrefix("S3.") } == S3Service.rows.filter { $0.stage != .executes }.map(\.route.name))
  }

  @Test func addressesAreTheModels() throws {
    for route in S3ModelTests.rows {
      let operation = try #require(ServiceModel.s3.operations[route.action])
      let selector = route.selector.map { $0.value.isEmpty ? "?\($0.name)" : "?\($0.name)=\($0.value)" } ?? ""
      let more = S3ModelTests.selectors[route.action] ?? ""
      #expect(route.method.rawValue == operation.method, "\(route.name)")
      #expect("\(route.path)\(selector)" == "\(operation.uri.replacing("?select&", with: "?"))\(more)", "\(route.name)")
      #expect(route.status == (S3ModelTests.quiet.contains(route.action) ? 204 : operation.status), "\(route.name)")
    }
  }

  /// Every request that a client makes for an operation reaches it, or is answered by a word that names it.
  @Test func requestsFindTheirOperations() async throws {
    let s3 = try S3Fixture()
    let replaced = [
      "GetBucketLifecycle": "GetBucketLifecycleConfiguration", "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
      "GetBucketNotification": "GetBucketNotificationConfiguration",
      "PutBucketNotification": "PutBucketNotificationConfiguration",
    ]
    for row in S3Service.rows {
      let route = row.route
      let operation = try #require(ServiceModel.s3.operations[route.action])
      var uri = operation.uri.replacing("{Bucket}", with: "no-bucket").replacing("{Key+}", with: "a/key")
      var headers = HTTPHeaders()
      for member in operation.input where member.isRequired {
        let value = member.name == "PartNumber" ? "1" : "x"
        switch member.place {
        case .query: uri += "\(uri.contains("?") ? "&" : "?")\(member.wireName)=\(value)"
        case .header: headers.add(name: member.wireName, value: member.name == "CopySource" ? "b/k" : value)
        default: break
        }
      }
      let name = "S3.\(replaced[route.action] ?? route.action)"
      let before = s3.door.count(of: name).calls
      let answer = await s3.call(HTTPMethod(rawValue: operation.method), uri, headers: headers)
      if row.isWritten {
        // Documents are read before the operation is called.
        let isRead = ["MalformedXML", "InvalidArgument", "InvalidRequest", "MissingSecurityHeader"].contains(
          answer.code)
        #expect(s3.door.count(of: name).calls == before + 1 || isRead, "\(route.name): \(uri) \(answer.text)")
      } else {
        #expect(answer.status == 501 && answer.text.contains("S3"), "\(route.name): \(uri) \(answer.text)")
      }
    }
  }

  /// Whatever query a request has, it is answered by S3, and never by an operation on something else.
  @Test func unknownSubresourcesAreRefused() async throws {
    let s3 = try S3Fixture()
    _ = await s3.call(.PUT, "/the-bucket")
    for name in ["torrent", "session", "metadataTable", "renameObject", "annotation"] {
      let answer = await s3.call(.DELETE, "/the-bucket?\(name)")
      #expect([405, 501].contains(answer.status), "\(name)")
    }
    #expect(await s3.call(.HEAD, "/the-bucket").status == 200)
  }
}

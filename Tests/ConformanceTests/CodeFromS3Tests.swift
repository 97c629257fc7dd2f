// CreateFunction and UpdateFunctionCode with code from S3: what is asked of S3, and what is said when it refuses.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@Suite struct CodeFromS3Tests {
  private let lambda: LambdaFixture
  private let asked = Asked()

  private final class Asked: Sendable {
    let inputs = Mutex<[S3.GetObject.Input]>([])
    let refusal = Mutex<AWSError?>(nil)
    /// The zip that the bucket holds.
    let zip = Mutex(LambdaFixture.zips[1])

    func answer(_ input: S3.GetObject.Input) throws(AWSError) -> S3.GetObject.Output {
      inputs.withLock { $0.append(input) }
      if let refusal = refusal.withLock({ $0 }) { throw refusal }
      guard let bytes = Base64.decode(zip.withLock { $0 }) else { throw .service("not base64") }
      do throws(Fault) {
        let draft = try DraftFile(in: "/tmp")
        let appended = bytes.withUnsafeReadableBytes { raw in Result { () throws(Fault) in try draft.append(raw) } }
        try appended.get()
        return S3.GetObject.Output(body: draft.finish(), version: nil, etag: "\"e\"")
      } catch {
        throw .service("\(error)")
      }
    }
  }

  init() throws {
    lambda = try LambdaFixture()
    let asked = asked
    lambda.door.offer(S3.GetObject.self) { (input, _) async throws(AWSError) in try asked.answer(input) }
  }

  private func create(_ code: String) async throws -> Answer {
    try await lambda.call(
      .POST, "/2015-03-31/functions",
      """
      {"FunctionName":"f","Role":"\(LambdaFixture.role)","Runtime":"python3.12","Handler":"index.handler","Code":{\(code)}}
      """)
  }

  private func update(_ members: String) async throws -> Answer {
    try await lambda.call(.PUT, "/2015-03-31/functions/f/code", "{\(members)}")
  }

  @Test func createAsksForTheObject() async throws {
    let fromRequest = try await create(#""ZipFile":"\#(LambdaFixture.zips[1])""#)
    _ = try await lambda.call(.DELETE, "/2015-03-31/functions/f")
    let answer = try await create(#""S3Bucket":"the-bucket","S3Key":"a/b c.zip","S3ObjectVersion":"v1""#)
    #expect(answer.status == 201, "\(answer.message)")
    #expect(answer["CodeSha256"] == fromRequest["CodeSha256"] && answer["CodeSize"] == fromRequest["CodeSize"])
    let input = try #require(asked.inputs.withLock { $0.first })
    #expect(input.bucket == "the-bucket" && input.key == "a/b c.zip" && input.version == "v1" && input.isRegional)
  }

  @Test func updateTakesTheNewObject() async throws {
    try await lambda.make()
    let before = try await lambda.get()
    let dry = try await update(#""S3Bucket":"the-bucket","S3Key":"k","DryRun":true"#)
    #expect(dry.status == 200 && dry["CodeSha256"] != before["CodeSha256"])
    #expect(try await lambda.get()["CodeSha256"] == before["CodeSha256"])
    let answer = try await update(#""S3Bucket":"the-bucket","S3Key":"k""#)
    #expect(answer["CodeSha256"] == dry["CodeSha256"] && answer["LastUpdateStatus"]?.string == "InProgress")
  }

  @Test(arguments: [
    (AWSError.noSuchKey("k"), "NoSuchKey", "The specified key does not exist."),
    (.noSuchBucket("b"), "NoSuchBucket", "The specified bucket does not exist"),
    (.noSuchVersion("k", "v"), "NoSuchVersion", "The specified version does not exist."),
    (.s3AccessDenied(), "AccessDenied", "Access Denied"),
    (
      .bucketElsewhere("eu-west-1"), "PermanentRedirect",
      "The bucket is in this region: eu-west-1. Please use this region to retry the request"
    ),
  ])
  func refusalsOfS3(_ error: AWSError, _ code: String, _ message: String) async throws {
    asked.refusal.withLock { $0 = error }
    let text = "Error occurred while GetObject. S3 Error Code: \(code). S3 Error Message: \(message)"
    lambda.expect(
      try await create(#""S3Bucket":"the-bucket","S3Key":"k""#), 400, "InvalidParameterValueException", text)
    #expect(try await lambda.get().status == 404)
    asked.refusal.withLock { $0 = nil }
    try await lambda.make()
    asked.refusal.withLock { $0 = error }
    lambda.expect(
      try await update(#""S3Bucket":"the-bucket","S3Key":"k""#), 400, "InvalidParameterValueException", text)
  }

  @Test func tooLargeAnObject() async throws {
    asked.refusal.withLock { $0 = .s3TooLarge() }
    lambda.expect(
      try await create(#""S3Bucket":"the-bucket","S3Key":"k""#), 400, "InvalidParameterValueException",
      "Unzipped size must be smaller than 262144000 bytes")
  }

  @Test(arguments: ["", "bm90IGEgemlw"]) func objectsThatAreNoPackages(_ zip: String) async throws {
    asked.zip.withLock { $0 = zip }
    lambda.expect(
      try await create(#""S3Bucket":"the-bucket","S3Key":"k""#), 400, "InvalidParameterValueException",
      zip.isEmpty
        ? "Uploaded file must be a non-empty zip"
        : "Could not unzip uploaded file. Please check your file, then try to upload again.")
  }

  @Test(arguments: [
    (#""S3Bucket":"the-bucket""#, "Please provide a source for function code."),
    (#""S3Key":"k""#, "Please provide a source for function code."),
    (
      #""S3Bucket":"the-bucket","S3Key":"k","ZipFile":"eA==""#,
      "Please do not provide other FunctionCode parameters when providing a ZipFile."
    ),
  ])
  func sourcesThatAreNone(_ code: String, _ message: String) async throws {
    lambda.expect(try await create(code), 400, "InvalidParameterValueException", message)
  }

  @Test(arguments: ["ends.", "with space", "ab"]) func namesOfNoBucket(_ name: String) async throws {
    let answer = try await create(#""S3Bucket":"\#(name)","S3Key":"k""#)
    #expect(answer.code == "ValidationException" && answer.message.contains("'code.s3Bucket'"), "\(answer.message)")
  }

  /// The key for the package is kept and shown, and goes with its package.
  @Test func sourceKey() async throws {
    let arn = "arn:aws:kms:us-east-1:111111111111:key/k"
    _ = try await create(#""S3Bucket":"the-bucket","S3Key":"k","SourceKMSKeyArn":"\#(arn)""#)
    await lambda.settle()
    func shown() async throws -> String? {
      try await lambda.call(.GET, "/2015-03-31/functions/f")["Code"]?["SourceKMSKeyArn"]?.string
    }
    #expect(try await shown() == arn)
    _ = try await update(#""S3Bucket":"the-bucket","S3Key":"k""#)
    #expect(try await shown() == nil)
    let answer = try await create(#""ZipFile":"eA==","SourceKMSKeyArn":"no ARN""#)
    #expect(answer.code == "ValidationException" && answer.message.contains("'code.sourceKMSKeyArn'"))
  }

  @Test func layersComeFromBucketsToo() async throws {
    let answer = try await lambda.call(
      .POST, "/2018-10-31/layers/l/versions", #"{"Content":{"S3Bucket":"the-bucket","S3Key":"layer.zip"}}"#)
    #expect(answer.status == 201, "\(answer.message)")
    #expect(asked.inputs.withLock { $0.map(\.key) } == ["layer.zip"])
  }
}

// The signer against AWS's published test suite for Signature Version 4 and the examples of S3's documentation.
import MartletCore
import NIOHTTP1
import Testing

@testable import MartletWire

@Suite struct SignatureV4Tests {
  struct Vector: Sendable {
    let name: String
    let method: String
    let uri: String
    var headers: [(String, String)] = []
    var body = ""
    var token: String?
    let signature: String
  }

  private func signed(
    _ vector: Vector, _ keys: AccessKeys, service: String, host: String, at seconds: Int64
  ) -> HTTPHeaders {
    var headers = HTTPHeaders([("Host", host)] + vector.headers)
    SignatureV4(keys: keys, region: "us-east-1", service: service).sign(
      vector.method, vector.uri, headers: &headers, payload: Digest.hex(Digest.sha256(vector.body)),
      at: Timestamp(milliseconds: seconds * 1000))
    return headers
  }

  static let token =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

  /// aws-sig-v4-test-suite, by its names.
  static let suite = [
    Vector(
      name: "get-vanilla", method: "GET", uri: "/",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "get-vanilla-query-order-key-case", method: "GET", uri: "/?Param2=value2&Param1=value1",
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    Vector(
      name: "get-header-value-trim", method: "GET", uri: "/",
      headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
      signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    Vector(
      name: "get-header-value-order", method: "GET", uri: "/",
      headers: [
        ("My-Header1", "value4"), ("My-Header1", "value1"), ("My-Header1", "value3"), ("My-Header1", "value2"),
      ],
      signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"),
    Vector(
      name: "post-vanilla", method: "POST", uri: "/",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Vector(
      name: "post-x-www-form-urlencoded", method: "POST", uri: "/",
      headers: [("Content-Type", "application/x-www-form-urlencoded")], body: "Param1=value1",
      signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    Vector(
      name: "get-relative", method: "GET", uri: "/example/..",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "get-unreserved", method: "GET",
      uri: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
      signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
    Vector(
      name: "get-vanilla-utf8-query", method: "GET", uri: "/?%E1%88%B4=bar",
      signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
    Vector(
      name: "post-sts-header-before", method: "POST", uri: "/", token: token,
      signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
    // Not of the suite: a path that is encoded already is encoded once more (made with botocore).
    Vector(
      name: "encoded path", method: "GET", uri: "/example%20space/",
      signature: "446b817944c553435b35e813c261ff4e161fff982d1bacdef1c87f6785dd1662"),
  ]

  @Test(arguments: suite) func testSuite(_ vector: Vector) throws {
    let keys = AccessKeys(
      id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", sessionToken: vector.token)
    let headers = signed(vector, keys, service: "service", host: "example.amazonaws.com", at: 1_440_938_160)
    #expect(headers["X-Amz-Date"] == ["20150830T123600Z"])
    let authorization = try #require(headers.first(name: "Authorization"))
    #expect(authorization.hasSuffix("Signature=\(vector.signature)"), "\(vector.name): \(authorization)")
    #expect(Credential(authorization: authorization)?.service == "service")
  }

  /// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
  static let s3Examples = [
    Vector(
      name: "GET Object", method: "GET", uri: "/test.txt", headers: [("Range", "bytes=0-9")],
      signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    Vector(
      name: "PUT Object", method: "PUT", uri: "/test%24file.text",
      headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
      body: "Welcome to Amazon S3.", signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
    Vector(
      name: "GET Bucket Lifecycle", method: "GET", uri: "/?lifecycle",
      signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
    Vector(
      name: "List Objects", method: "GET", uri: "/?max-keys=2&prefix=J",
      signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
  ]

  @Test(arguments: s3Examples) func examplesOfS3(_ vector: Vector) throws {
    let keys = AccessKeys(id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    let headers = signed(vector, keys, service: "s3", host: "examplebucket.s3.amazonaws.com", at: 1_369_353_600)
    let authorization = try #require(headers.first(name: "Authorization"))
    #expect(authorization.hasSuffix("Signature=\(vector.signature)"), "\(vector.name): \(authorization)")
  }

  /// Made with botocore: a key whose characters are encoded once, slashes that stay double, a session token.
  @Test func pathsOfS3AreSignedAsSent() throws {
    let keys = AccessKeys(id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    let path = "/bucket/" + Percent.encodePath("a b/c+d//e=\u{e9}.zip")
    let vector = Vector(
      name: "key", method: "GET", uri: "\(path)?versionId=v%2F1%3D",
      signature: "07184ff6fa517a3e2dc66b4b5a4d31a5ca2115e3f8b72714baab6f8b52e20677")
    let headers = signed(vector, keys, service: "s3", host: "127.0.0.1:9000", at: 1_440_938_160)
    #expect(headers.first(name: "Authorization")?.hasSuffix(vector.signature) == true)
    let temporary = AccessKeys(id: keys.id, secret: keys.secret, sessionToken: "TOKEN")
    let other = Vector(
      name: "token", method: "GET", uri: "/test.txt", headers: [("Range", "bytes=0-9")],
      signature: "06554251a2f6eb048aaf79daf4297130f8c877ee8cde7276afb6436f82e87797")
    let more = signed(other, temporary, service: "s3", host: "examplebucket.s3.amazonaws.com", at: 1_440_938_160)
    #expect(more.first(name: "Authorization")?.hasSuffix(other.signature) == true)
    #expect(more["X-Amz-Security-Token"] == ["TOKEN"])
  }
}

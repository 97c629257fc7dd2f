// No secret gets into the audit: every member that a service's model calls sensitive, in every operation, is tried.
import MartletCore
import MartletStore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletCloud

@Suite struct AuditSecretsTests {
  /// By operation: where in its input and output the model says that something is sensitive.
  struct Sensitive: Sendable {
    let operation: String
    let input: [[String]]
    let output: [[String]]
  }

  static let all: [Sensitive] = {
    let bytes = (try? Files.read("\(ServiceModel.here)/sensitive-members.json")) ?? []
    guard let table = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)) else { return [] }
    func paths(_ value: JSONValue?) -> [[String]] {
      (value?.array ?? []).map { ($0.array ?? []).compactMap(\.string) }
    }
    return (table.members ?? []).map {
      Sensitive(operation: $0.name, input: paths($0.value["input"]), output: paths($0.value["output"]))
    }
  }()

  /// A document with a value at the end of a path.
  static func document(_ path: ArraySlice<String>, _ value: JSONValue) -> JSONValue {
    guard let first = path.first else { return value }
    let inner = document(path.dropFirst(), value)
    switch first {
    case "[]": return .array([.string("x"), inner, inner])
    case "{}": return .object([.init("k", inner)])
    default: return .object([.init("Other", .string("o")), .init(first, inner)])
    }
  }

  /// What a program may have in such a place.
  static func shapes(of secret: String) -> [JSONValue] {
    [
      .string(secret), .array([.string(secret), .string("\(secret)2")]),
      .object([.init("KEY", .string(secret)), .init(secret, .string("v"))]),
      .object([.init("Deep", .array([.object([.init("Deeper", .string(secret))])]))]),
    ]
  }

  static func call() throws -> Call {
    let place = Place(
      account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    return Call(
      requestID: RequestID(from: RealWorld()), place: place, caller: .accessKey("AKIATEST"), host: "localhost",
      traceHeader: nil)
  }

  @Test func theTableIsThere() {
    #expect(AuditSecretsTests.all.count > 60)
    #expect(
      AuditSecretsTests.all.contains {
        $0.operation == "Lambda.CreateFunction" && $0.input.contains(["Environment", "Variables"])
      })
  }

  @Test(arguments: all.map(\.operation)) func whatTheModelsCallSensitiveIsNeverShown(_ operation: String) throws {
    let sensitive = try #require(AuditSecretsTests.all.first { $0.operation == operation })
    let world = RealWorld()
    for (paths, isAnswer) in [(sensitive.input, false), (sensitive.output, true)] {
      for path in paths {
        let secret = "s3cr3t\(world.random())"
        for shape in AuditSecretsTests.shapes(of: secret) {
          let document = AuditSecretsTests.document(path[...], shape).members ?? []
          let outcomes: [AuditDraft.Outcome] =
            isAnswer
            ? [.answered(HTTPReply(status: 200, body: ByteBuffer(string: JSONValue.object(document).text)))]
            : [
              .answered(HTTPReply(status: 200)),
              .refused(AWSError("X", status: 400, "1 validation error detected: Value '{KEY=\(secret)}' at 'x'")),
            ]
          for outcome in outcomes {
            // What an operation is called matters to no answer here but its being recorded at all.
            let draft = AuditDraft(
              .rest(operation, .post, "/2015-03-31/x"), .management,
              HTTPRequest(
                method: .POST, uri: "/?X-Amz-Signature=\(secret)&X-Amz-Security-Token=\(secret)",
                headers: [
                  "Authorization":
                    "AWS4-HMAC-SHA256 Credential=A/20270115/us-east-1/x/aws4_request, Signature=\(secret)"
                ],
                body: ByteBuffer()),
              (isAnswer ? [] : document) + [
                .init("X-Amz-Signature", .string(secret)), .init("X-Amz-Security-Token", .string(secret)),
              ],
              try AuditSecretsTests.call(), outcome)
            let record = AuditRecord(AuditEntry(draft, id: RequestID(from: world), time: world.now()))
            #expect(!record.text.contains(secret), "\(operation) \(path): \(record.text)")
            #expect(record.resources.allSatisfy { !$0.name.contains(secret) })
          }
          // Answers of what only reads are not recorded; what would be shown of them is as good.
          var redaction = AuditRedaction(
            service: String(operation.prefix { $0 != "." }), action: String(operation.drop { $0 != "." }.dropFirst()),
            isAnswer: true)
          let shown = JSONValue.object(redaction.shown(document)).text
          #expect(!shown.contains(secret), "\(operation) \(path): \(shown)")
        }
      }
    }
  }

  @Test func secretKeysOfUsersStayOut() async throws {
    let fixture = try await AuditFixture()
    await fixture.iam("Action=CreateUser&UserName=u")
    let reply = await fixture.iam(
      "Action=CreateAccessKey&UserName=u", query: "?X-Amz-Signature=0123456789abcdef&X-Amz-Credential=AKIA%2Fx")
    let answer = String(buffer: reply.body)
    let secret = try #require(answer.split(separator: "<SecretAccessKey>").last?.prefix { $0 != "<" })
    #expect(secret.count == 40)
    let record = try #require(
      try await fixture.lookup(
        #"{"LookupAttributes":[{"AttributeKey":"EventName","AttributeValue":"CreateAccessKey"}]}"#
      )
      .first?.record)
    #expect(!record.text.contains(secret) && !record.text.contains("0123456789abcdef"))
    let key = record["responseElements"]?["accessKey"]
    #expect(key?["userName"]?.string == "u" && key?["accessKeyId"]?.string?.hasPrefix("AKIA") == true)
    #expect(record["requestParameters"]?.text == #"{"userName":"u"}"#)
  }

  @Test func functionsShowThatTheyHaveVariablesButNotWhich() throws {
    let input = try JSONValue(
      parsing:
        #"{"FunctionName":"f","Code":{"ZipFile":"UEsDBA=="},"Environment":{"Variables":{"PASSWORD":"hunter2"}},"Tags":{"Team":"A"},"KMSKeyArn":"k"}"#
    )
    var redaction = AuditRedaction(service: "Lambda", action: "CreateFunction", isAnswer: false)
    #expect(
      JSONValue.object(redaction.shown(input.members ?? [])).text
        == #"{"functionName":"f","code":{},"environment":{},"tags":{"Team":"A"},"kMSKeyArn":"k"}"#)
    #expect(redaction.shown(message: "Value 'hunter2' is bad") == AuditRedaction.hidden)
    #expect(redaction.shown(message: "Function f is bad") == "Function f is bad")
  }

  @Test func lambdasEventsHaveTheNamesOfAWS() {
    for (name, path, wanted) in [
      ("CreateFunction", "/2015-03-31/functions", "CreateFunction20150331"),
      ("UpdateFunctionCode", "/2015-03-31/functions/{FunctionName}/code", "UpdateFunctionCode20150331v2"),
      ("GetFunction", "/2015-03-31/functions/{FunctionName}", "GetFunction20150331v2"),
      ("PublishLayerVersion", "/2018-10-31/layers/{LayerName}/versions", "PublishLayerVersion20181031"),
      ("TagResource", "/2017-03-31/tags/{Resource}", "TagResource20170331v2"),
      ("CreateFunctionUrlConfig", "/2021-10-31/functions/{FunctionName}/url", "CreateFunctionUrlConfig"),
      ("Invoke", "/2015-03-31/functions/{FunctionName}/invocations", "Invoke"),
    ] {
      #expect(AuditNames.event(.rest("Lambda.\(name)", .post, path)) == wanted)
    }
  }
}

// Endpoint addresses and settings: what is accepted, what wins, and what is refused by name. XML as S3 sends it.
import MartletCore
import Testing

@testable import MartletWire

@Suite struct EndpointTests {
  @Test(arguments: [
    ("http://127.0.0.1:9000", "http://127.0.0.1:9000"), ("HTTP://minio/", "http://minio"),
    ("https://s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com"),
    ("http://[::1]:81", "http://[::1]:81"),
    ("https://h:80", "https://h:80"), ("https://h:443/", "https://h"),
  ])
  func addresses(_ text: String, _ shown: String) { #expect(HTTPAddress(text)?.description == shown) }

  @Test(arguments: [
    "", "localhost:9000", "ftp://h", "http://", "http://:9000", "http://h:0", "http://h:65536", "http://h:x",
    "http://h/path", "http://a b", "http://h:1:2", "http://[::1", "http://user@h", "http://h\r\nX: y",
  ])
  func noAddresses(_ text: String) { #expect(HTTPAddress(text) == nil) }

  @Test func flagsWinOverVariables() throws {
    let variables = ["MARTLET_ENDPOINT_S3": "http://a", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"]
    let one = try RemoteEndpoint.all(flags: [], variables: variables)
    #expect(one.map(\.address.description) == ["http://a"])
    #expect(one.first?.keys == AccessKeys(id: "k", secret: "s"))
    #expect(try RemoteEndpoint.all(flags: ["s3=http://b"], variables: variables).map(\.address.host) == ["b"])
    #expect(try RemoteEndpoint.all(flags: [], variables: [:]).isEmpty)
  }

  @Test func ownKeysWinWhole() throws {
    let variables = [
      "MARTLET_ENDPOINT_S3": "http://a", "MARTLET_ENDPOINT_S3_ACCESS_KEY_ID": "own",
      "MARTLET_ENDPOINT_S3_SECRET_ACCESS_KEY": "secret", "MARTLET_ENDPOINT_S3_REGION": "eu-west-1",
      "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
    ]
    let endpoint = try #require(try RemoteEndpoint.all(flags: [], variables: variables).first)
    #expect(endpoint.keys == AccessKeys(id: "own", secret: "secret") && endpoint.region == "eu-west-1")
  }

  @Test(arguments: [
    (["s3"], [:], "SERVICE=URL"), (["sts=http://a"], [:], "sts cannot be remote"),
    (["s3=a:9000"], [:], "--endpoint s3 (MARTLET_ENDPOINT_S3)"),
    (["s3=http://a"], ["AWS_ACCESS_KEY_ID": "k"], "only one of AWS_ACCESS_KEY_ID"),
  ])
  func whatIsWrongIsNamed(_ flags: [String], _ variables: [String: String], _ words: String) {
    do throws(Fault) {
      _ = try RemoteEndpoint.all(flags: flags, variables: variables)
      Issue.record("accepted \(flags)")
    } catch {
      #expect("\(error)".contains(words))
    }
  }

  // MARK: - XML

  private func parse(_ text: String) throws(XMLFlaw) -> XMLElement { try XMLElement(parsing: text.utf8) }

  @Test func xmlOfAnError() throws {
    let element = try parse(
      """
      <?xml version="1.0" encoding="UTF-8"?>
      <!-- a > comment -->
      <s:Error xmlns:s='http://x/>'><Code>NoSuchKey</Code>
      <Message>a &lt;b&gt; &amp; &#x1F600;&#65;<![CDATA[<&]]></Message><Empty a="1"/></s:Error>
      """)
    #expect(element.name == "Error" && element["Code"] == "NoSuchKey" && element["Empty"] == "")
    #expect(element["Message"] == "a <b> & \u{1F600}A<&")
  }

  @Test(arguments: [
    "", "x", "<a>", "<a></b>", "<a/><b/>", "<a b></a>", "<a b=1/>", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
    "<a>&x;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&amp</a>", "<a", "<a><![CDATA[</a>", "</a>",
    String(repeating: "<a>", count: 100_000),
  ])
  func notXML(_ text: String) { #expect(throws: XMLFlaw.self) { try parse(text) } }

  /// Whatever comes in, the parser comes back.
  @Test func rubbishDoesNoHarm() {
    var random = SplitMix(seed: 7)
    let pieces = [
      "<", ">", "</", "/>", "a", "b", " ", "&", ";", "&#", "=", "\"", "<![CDATA[", "]]>", "<!--", "<?", "\0",
    ]
    for _ in 0..<5000 {
      let text = (0..<Int.random(in: 0..<20, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
      _ = try? parse("<a>" + text.joined() + "</a>")
      _ = try? parse(text.joined())
    }
  }
}

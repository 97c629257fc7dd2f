// The query protocol's parser and the XML writer, with what is well formed and with anything else.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@Suite struct QueryTests {
  private func parsed(_ form: String) -> JSONValue? {
    QueryDocument.members(QueryDocument.pairs(form)).map { .object($0) }
  }

  @Test func structuresListsAndMaps() throws {
    let tree = try #require(
      parsed(
        "Action=A&Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.1.Value=x+y%26&E=&M.entry.1.key=k&M.entry.1.value=v"
      ))
    #expect(tree["Action"] == .string("A"))
    #expect(tree["Tags"]?.array?.map { $0["Key"] } == [.string("a"), .string("b")])
    #expect(tree["Tags"]?.array?.first?["Value"] == .string("x y&"))
    #expect(tree["E"] == .string(""))
    #expect(tree["M"] == .object([.init("k", .string("v"))]))
  }

  @Test func gapsRepetitionsAndHugeIndexes() throws {
    let tree = try #require(
      parsed("L.member.9223372036854775807=b&L.member.3=a&A=1&A=2&S=t&S.x=1&N.member.99999999999999999999=q"))
    #expect(tree["L"] == .array([.string("a"), .string("b")]))
    #expect(tree["A"] == .string("2"))
    #expect(tree["S"] == .object([.init("x", .string("1"))]))
    #expect(tree["N"]?.array == nil, "what is no number is no list")
  }

  @Test func deepNamesAreRefused() {
    #expect(parsed(Array(repeating: "a", count: 32).joined(separator: ".") + "=1") != nil)
    #expect(parsed(Array(repeating: "a", count: 33).joined(separator: ".") + "=1") == nil)
    #expect(parsed(String(repeating: ".", count: 100_000) + "=1") == nil)
  }

  @Test(arguments: 0..<64) func anyBytesAreRead(seed: Int) {
    var dice = SplitMix(seed: UInt64(seed))
    let letters = Array("aZ.%&=+1;\u{0}member.entry.key.value..%4%zz%ff\u{e9}".unicodeScalars)
    for _ in 0..<200 {
      var form = ""
      for _ in 0..<Int(dice.next() % 60) {
        form.unicodeScalars.append(letters[Int(dice.next() % UInt64(letters.count))])
      }
      guard let members = QueryDocument.members(QueryDocument.pairs(form)) else { continue }
      #expect(Set(members.map(\.name)).count == members.count, "\(form)")
      let request = HTTPRequest(method: .POST, uri: "/", headers: [:], body: ByteBuffer())
      let reader = Reader(request, form: members)
      if let body = try? reader.body() {
        for member in members {
          _ = body.string(member.name)
          _ = body.integer(member.name, in: 0...1)
          _ = body.objects(member.name)
          _ = body.strings(member.name)
          _ = body.map(member.name)
        }
      }
    }
  }

  @Test(arguments: 0..<64) func whatIsEncodedIsReadBack(seed: Int) throws {
    var dice = SplitMix(seed: UInt64(seed) &+ 1000)
    var pairs: [(name: String, value: String)] = []
    for i in 0..<20 {
      var value = ""
      for _ in 0..<Int(dice.next() % 12) {
        value.unicodeScalars.append(UnicodeScalar(UInt32(dice.next() % 0xd800)) ?? "?")
      }
      pairs.append(("L.member.\(i + 1)", value))
    }
    let form = pairs.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }.joined(separator: "&")
    #expect(parsed(form)?["L"] == .array(pairs.map { .string($0.value) }))
  }

  @Test func xmlIsEscaped() {
    var xml = XMLWriter()
    xml.element("a", "x=\"1\"") { $0.element("b", "<&>\"\u{e9}\r\n\t\u{0}\u{1f}\u{ffff}\u{1f600}") }
    #expect(
      xml.text
        == "<a x=\"1\"><b>&lt;&amp;&gt;&quot;\u{e9}&#xD;\n\t\u{fffd}\u{fffd}\u{fffd}\u{1f600}</b></a>")
  }

  @Test(arguments: 0..<64) func noTextBreaksOutOfItsElement(seed: Int) {
    var dice = SplitMix(seed: UInt64(seed) &+ 2000)
    var text = ""
    for _ in 0..<100 { text.unicodeScalars.append(UnicodeScalar(UInt32(dice.next() % 0x100)) ?? "?") }
    text += "</b>]]><!--&amp;"
    var xml = XMLWriter()
    xml.element("b", text)
    let inner = xml.text.dropFirst(3).dropLast(4)
    #expect(!inner.contains("<") && !inner.contains(">"))
    #expect(inner.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" || $0 == "\t" })
  }

  @Test func membersAreWrittenInBothProtocols() throws {
    func write(_ w: inout Writer) {
      w.body { w in
        w.member("S", "a<b")
        w.member("N", 1)
        w.member("B", true)
        w.moment("T", Timestamp(milliseconds: 1_700_000_000_000))
        w.member("L", ["x", "y"])
        w.member("M", [(key: "k", value: "v")])
        w.object("O") { $0.member("I", 2) }
        w.list("Q", [1, 2]) { $0.member("E", $1) }
      }
    }
    var json = Writer(status: 200)
    write(&json)
    #expect(
      String(buffer: json.reply().body)
        == #"{"S":"a<b","N":1,"B":true,"T":1700000000.0,"L":["x","y"],"M":{"k":"v"},"O":{"I":2},"Q":[{"E":1},{"E":2}]}"#
    )
    var xml = Writer(status: 200, element: "R")
    write(&xml)
    #expect(
      String(buffer: xml.reply().body)
        == "<R><S>a&lt;b</S><N>1</N><B>true</B><T>2023-11-14T22:13:20Z</T><L><member>x</member><member>y</member></L><M><entry><key>k</key><value>v</value></entry></M><O><I>2</I></O><Q><member><E>1</E></member><member><E>2</E></member></Q></R>"
    )
  }
}

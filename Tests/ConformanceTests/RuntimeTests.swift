// What serves the runtime identifiers, and how those that cannot be served are refused.
import Glibc
import MartletCore
import MartletLambda
import MartletSandbox
import MartletWire
import NIOHTTP1
import Testing

@Suite struct RuntimeTests {
  private static let java = Interpreter(family: .java, version: "17.0.15", path: "/opt/jdk-17/bin/java")
  private static let java8 = Interpreter(family: .java, version: "8.0.402", path: "/opt/jdk-8/bin/java")
  private static let ruby = Interpreter(family: .ruby, version: "3.3.1", path: "/opt/ruby/bin/ruby")

  private func serves(_ name: String, _ catalog: RuntimeCatalog) throws -> RuntimeCatalog.Served {
    catalog.serves(try #require(RuntimeCatalog.identifier(name)))
  }

  @Test func everyIdentifierIsServedByItsVersionAlone() throws {
    let catalog = RuntimeCatalog(interpreters: [RuntimeTests.java, RuntimeTests.java8, RuntimeTests.ruby])
    #expect(try serves("java17", catalog) == .interpreter(RuntimeTests.java))
    #expect(try serves("java8.al2", catalog) == .interpreter(RuntimeTests.java8))
    #expect(try serves("java8", catalog) == .interpreter(RuntimeTests.java8))
    #expect(try serves("ruby3.3", catalog) == .interpreter(RuntimeTests.ruby))
    #expect(try serves("provided.al2023", catalog) == .bootstrap)
    for (name, words) in [
      ("java21", "martlet runtime install java21"), ("ruby3.4", "rbenv install 3.4"), ("dotnet8", "self-contained"),
      ("go1.x", "named bootstrap"),
    ] {
      guard case .missing(let advice) = try serves(name, catalog) else {
        Issue.record("\(name) is served")
        continue
      }
      #expect(advice.contains(words))
    }
  }

  /// AWS's model has it, and the list in AWS's message has not.
  @Test func whatIsAnnouncedIsAcceptedAndNotListed() async throws {
    let ruby = Interpreter(family: .ruby, version: "4.0.1", path: "/opt/ruby/bin/ruby")
    let catalog = RuntimeCatalog(interpreters: [ruby])
    #expect(try serves("ruby4.0", catalog) == .interpreter(ruby))
    try await catalog.require("ruby4.0")
    await #expect {
      try await catalog.require("ruby9")
    } throws: { error in
      let message = (error as? AWSError)?.message ?? ""
      return message.contains("ruby3.4") && !message.contains("ruby4.0") && !message.contains("go1.x")
    }
  }

  @Test func aNamedInterpreterServesWhateverItsVersion() throws {
    let catalog = RuntimeCatalog(interpreters: [RuntimeTests.ruby], chosen: ["ruby3.4": RuntimeTests.ruby])
    #expect(try serves("ruby3.4", catalog) == .interpreter(RuntimeTests.ruby))
  }

  /// A cold start must not start a program to hear what is known already.
  @Test func aNamedInterpreterIsAskedForItsVersionOnce() throws {
    var path = Array("/tmp/martlet-named-XXXXXX".utf8CString)
    let script = mkstemp(&path)
    defer { unlink(path) }
    let name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let text = "#!/bin/sh\necho >> \(name).asked; echo Ruby 3.4.2\n"
    #expect(write(script, text, text.utf8.count) == text.utf8.count)
    close(script)
    chmod(path, 0o755)
    defer { unlink("\(name).asked") }
    let named = Interpreter(family: .ruby, version: "", path: name)
    let catalog = RuntimeCatalog(interpreters: [], chosen: ["ruby3.4": named])
    for _ in 0..<3 {
      #expect(try serves("ruby3.4", catalog) == .interpreter(Interpreter(family: .ruby, version: "3.4.2", path: name)))
    }
    var asked = stat()
    #expect(stat("\(name).asked", &asked) == 0 && asked.st_size == 1)
  }

  @Test func whatCannotRunIsRefused() async throws {
    let fixture = try LambdaFixture()
    for (runtime, words) in [
      ("dotnet8", "The runtime dotnet8 is not available: Martlet has no bootstrap for .NET"),
      ("java21", "The runtime java21 is not available: no Java 21 on this host"),
      ("go1.x", "The runtime parameter of go1.x is no longer supported for creating or updating AWS Lambda functions."),
      ("java8", "The runtime parameter of java8 is no longer supported"),
    ] {
      let answer = try await fixture.call(
        .POST, "/2015-03-31/functions",
        """
        {"FunctionName":"f","Role":"\(LambdaFixture.role)","Runtime":"\(runtime)","Handler":"app.App",
         "Code":{"ZipFile":"\(LambdaFixture.zips[0])"}}
        """)
      #expect(answer.status == 400 && answer.code == "InvalidParameterValueException")
      #expect(answer.message.contains(words), "\(answer.message)")
    }
  }
}

// ListAliases: the aliases of a function, or those that point to one version, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListAliases.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListAliases: Operation {
    static let route = Route.rest("Lambda.ListAliases", .get, "/2015-03-31/functions/{FunctionName}/aliases")

    struct Input: Readable {
      let function: FunctionNameParts?
      let version: String?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        function = r.functionName(.plain)
        version = r.query("FunctionVersion", .length(1, 1024), .pattern(AliasRequest.versionPattern))
        page = Page(r)
      }
    }

    struct Output: Writable {
      let key: FunctionKey
      let aliases: [Alias]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("NextMarker", next)
          $0.list("Aliases", aliases) { $1.write(to: &$0, of: key) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let record = try lambda.record(lambda.function(input.function, call))
      let aliases = record.aliases.values
        .filter { alias in input.version.map { text in alias.versions.contains { $0.description == text } } ?? true }
        .sorted { $0.name < $1.name }
      let page = try input.page.cut(aliases, key: \.name)
      return Output(key: record.key, aliases: page.elements, next: page.next)
    }
  }
}

// ListFunctions: the functions of the account and region, or all of their versions, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListFunctions: Operation {
    static let route = Route.rest("Lambda.ListFunctions", .get, "/2015-03-31/functions")

    struct Input: Readable {
      let allVersions: Bool
      let masterRegion: String?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        allVersions = r.query("FunctionVersion", .oneOf(["ALL"])) != nil
        masterRegion = r.query("MasterRegion", .length(1, 50), .pattern(ListFunctions.masterRegionPattern))
        page = Page(r)
      }
    }

    struct Output: Writable {
      let functions: [FunctionConfiguration]
      let qualified: Bool
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("NextMarker", next)
          $0.list("Functions", functions) {
            $1.write(to: &$0, for: .listing, arn: qualified ? $1.qualifiedARN : nil)
          }
        }
      }
    }

    static let masterRegionPattern = Pattern(
      #"ALL|(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"#)

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      // A region here asks for the copies of its functions at the network's edge, and there is no edge.
      let isEdge = input.masterRegion.map { $0 != "ALL" } ?? false
      if isEdge { return Output(functions: [], qualified: input.allVersions, next: nil) }
      let page = try input.page.cut(key: Page.key) { (last, count) in
        functions(lambda.functions, call.place, allVersions: input.allVersions, after: last, count: count)
      }
      return Output(functions: page.elements, qualified: input.allVersions, next: page.next)
    }

    /// At least `count` of the versions that come after the one with the key `last`, if there are as many.
    private static func functions(
      _ table: FunctionTable, _ place: Place, allVersions: Bool, after last: String?, count: Int
    ) -> [FunctionConfiguration] {
      let name = last.map { String($0.prefix { $0 != " " }) }
      guard allVersions else {
        return table.page(place, after: name, count: count).compactMap { $0.stored(.latest)?.glance }
      }
      var found: [FunctionConfiguration] = []
      // The marker may stand in the middle of its function's versions.
      if let last, let name, let record = table.find(FunctionKey(place: place, name: name)) {
        found = record.versions.map(\.stored.glance).filter { Page.key($0) > last }
      }
      var next = name
      while found.count < count, let record = table.page(place, after: next, count: 1).first {
        found += record.versions.map(\.stored.glance)
        next = record.latest.name
      }
      return found
    }
  }
}

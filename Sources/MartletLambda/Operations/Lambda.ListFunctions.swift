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
      let records = isEdge ? [] : lambda.functions.list(call.place)
      let functions = input.allVersions ? records.flatMap(\.versions) : records.map(\.latest)
      let page = try input.page.cut(functions, key: Page.key)
      return Output(functions: page.elements, qualified: input.allVersions, next: page.next)
    }
  }
}

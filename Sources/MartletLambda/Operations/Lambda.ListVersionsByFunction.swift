// ListVersionsByFunction: $LATEST and the published versions of one function, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html
import MartletCore
import MartletWire

extension Lambda {
  enum ListVersionsByFunction: Operation {
    static let route = Route.rest(
      "Lambda.ListVersionsByFunction", .get, "/2015-03-31/functions/{FunctionName}/versions")

    struct Input: Readable {
      let name: FunctionNameParts?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        name = r.functionName()
        page = Page(r)
      }
    }

    struct Output: Writable {
      let versions: [FunctionConfiguration]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("NextMarker", next)
          $0.list("Versions", versions) { $1.write(to: &$0, for: .listing, arn: $1.qualifiedARN) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let record = try lambda.record(lambda.reference(input.name, qualifier: nil, call))
      let page = try input.page.cut(record.versions.map(\.stored.glance), key: Page.key)
      return Output(versions: page.elements, next: page.next)
    }
  }
}

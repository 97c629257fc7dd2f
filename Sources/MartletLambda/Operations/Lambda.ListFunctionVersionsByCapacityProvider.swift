// ListFunctionVersionsByCapacityProvider: the versions that shall run on a capacity provider, page by page.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionVersionsByCapacityProvider.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum ListFunctionVersionsByCapacityProvider: Operation {
    static let route = Route.rest(
      "Lambda.ListFunctionVersionsByCapacityProvider", .get,
      "/2025-11-30/capacity-providers/{CapacityProviderName}/function-versions")

    struct Input: Readable {
      let name: String
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        name = r.path("CapacityProviderName", .length(1, 140), .pattern(CapacitySettings.namePattern))
        page = Page(r, atMost: 50)
      }
    }

    struct Output: Writable {
      let arn: String
      let versions: [FunctionConfiguration]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("CapacityProviderArn", arn)
          $0.list("FunctionVersions", versions) {
            $0.member("FunctionArn", $1.qualifiedARN)
            $0.member("State", $1.state.rawValue)
          }
          $0.member("NextMarker", next)
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      let arn = try lambda.capacityProvider(input.name, call).arn
      let versions = lambda.functions.catalogue.list(call.place).flatMap { record in
        record.versions.map(\.stored.glance).filter { $0.capacityProviderARN == arn }
      }
      let page = try input.page.cut(versions, key: Page.key)
      return Output(arn: arn, versions: page.elements, next: page.next)
    }
  }
}

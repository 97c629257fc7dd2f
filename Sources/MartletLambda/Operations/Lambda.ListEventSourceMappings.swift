// ListEventSourceMappings: the event source mappings of the account and region, of a source, or of a function.
// https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
import MartletCore
import MartletStore
import MartletWire

extension Lambda {
  enum ListEventSourceMappings: Operation {
    static let route = Route.rest("Lambda.ListEventSourceMappings", .get, "/2015-03-31/event-source-mappings")

    struct Input: Readable {
      let sourceARN: String?
      let name: FunctionNameParts?
      let page: Page

      init(_ r: Reader) throws(AWSError) {
        sourceARN = r.query(
          "EventSourceArn", .length(0, 10_000), .pattern(EventSourceMappingSettings.sourcePattern))
        name = r.query("FunctionName", .length(1, 256), .pattern(FunctionReference.pattern))
          .flatMap { FunctionNameParts($0) }
        page = Page(r, most: 100)
      }
    }

    struct Output: Writable {
      let mappings: [EventSourceMapping]
      let next: String?

      func write(to w: inout Writer) {
        w.body {
          $0.member("NextMarker", next)
          $0.list("EventSourceMappings", mappings) { $1.write(to: &$0) }
        }
      }
    }

    static func answer(_ input: Input, _ call: Call, _ lambda: LambdaService) async throws(AWSError) -> Output {
      // Mappings outlive their functions, so the function need not be there.
      let function = try input.name.map { (name) throws(AWSError) in
        try lambda.reference(name, qualifier: nil, call).arn
      }
      let mappings = lambda.resources.eventSourceMappings.list(call.place).filter { mapping in
        mapping.functionARN == function ?? mapping.functionARN
          && (input.sourceARN == nil || mapping.sourceARN == input.sourceARN)
      }
      let page = try input.page.cut(mappings, key: \.key.name)
      return Output(mappings: page.elements.map(lambda.shown), next: page.next)
    }
  }
}

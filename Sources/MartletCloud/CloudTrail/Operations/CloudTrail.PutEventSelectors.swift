// PutEventSelectors: which events a trail takes.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
import MartletCore
import MartletStore
import MartletWire

extension CloudTrail {
  enum PutEventSelectors: Operation {
    static let route = Route.target("CloudTrail.PutEventSelectors")

    struct Input: Readable {
      let trail: TrailReference
      let selectors: [EventSelector]?
      let advanced: [AdvancedEventSelector]?

      init(_ r: Reader) throws(AWSError) {
        let m = try r.body()
        trail = TrailReference(text: m.required("TrailName"))
        selectors = m.objects("EventSelectors")?.map { EventSelector($0) }
        advanced = m.objects("AdvancedEventSelectors")?.map { AdvancedEventSelector($0) }
      }
    }

    typealias Output = GetEventSelectors.Output

    static func answer(_ input: Input, _ call: Call, _ service: CloudTrailService) async throws(AWSError) -> Output {
      guard (input.selectors == nil) != (input.advanced == nil) else {
        throw .cloudTrailSelectors("Specify either EventSelectors or AdvancedEventSelectors.")
      }
      let trail = try input.trail.findAtHome(service.trails, call)
      try check(input.selectors ?? [])
      try check(input.advanced ?? [])
      await service.settle()
      let changed = try await service.change(trail.key) { (trail: inout Trail) throws(AWSError) in
        trail.selectors = input.selectors ?? []
        trail.advanced = input.advanced ?? []
      }
      return Output(trail: changed)
    }

    private static func check(_ selectors: [EventSelector]) throws(AWSError) {
      guard selectors.count <= 5 else {
        throw .cloudTrailSelectors("A trail can have at most 5 event selectors.")
      }
      for selector in selectors {
        if let source = selector.excluded.first(where: { !["kms.amazonaws.com", "rdsdata.amazonaws.com"].contains($0) })
        {
          throw .cloudTrailSelectors("Invalid value in ExcludeManagementEventSources: \(source)")
        }
        for data in selector.data {
          guard let all = EventSelector.dataTypes[data.type] else {
            throw .cloudTrailSelectors("Invalid data resource type: \(data.type)")
          }
          guard data.values.count <= 250 else {
            throw .cloudTrailSelectors("A trail can have at most 250 data resources.")
          }
          if let value = data.values.first(where: { $0 != all && !$0.hasPrefix(all + ":") }) {
            throw .cloudTrailSelectors("Value \(value) for DataResources.Values is invalid.")
          }
        }
      }
    }

    private static func check(_ selectors: [AdvancedEventSelector]) throws(AWSError) {
      for selector in selectors {
        for condition in selector.conditions {
          guard AdvancedEventSelector.fields.contains(condition.field) else {
            throw .cloudTrailSelectors("Invalid field in FieldSelectors: \(condition.field)")
          }
          guard !condition.tests.isEmpty else {
            throw .cloudTrailSelectors("The field \(condition.field) must have at least one operator.")
          }
        }
        let category = selector.conditions.first { $0.field == "eventCategory" }?.tests
        guard category?.count == 1, category?.first?.comparison == "Equals", category?.first?.values.count == 1,
          ["Management", "Data"].contains(category?.first?.values.first)
        else { throw .cloudTrailSelectors("eventCategory must be equal to Management or Data.") }
        guard
          category?.first?.values == ["Management"]
            || selector.conditions.contains(where: { $0.field == "resources.type" })
        else { throw .cloudTrailSelectors("resources.type is required for data events.") }
      }
    }
  }
}

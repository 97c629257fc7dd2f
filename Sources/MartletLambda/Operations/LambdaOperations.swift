// The table of the service: every operation of AWS's model, alphabetical, one row each.
// https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html
import MartletWire

extension LambdaService {
  package static let rows: [OperationRow<LambdaService>] = [
    .init(Lambda.AddLayerVersionPermission.self),
    .init(missing: .rest("Lambda.AddPermission", .post, "/2015-03-31/functions/{FunctionName}/policy", status: 201)),
    .init(Lambda.CheckpointDurableExecution.self),
    .init(Lambda.CreateAlias.self),
    .init(Lambda.CreateCapacityProvider.self),
    .init(Lambda.CreateCodeSigningConfig.self),
    .init(Lambda.CreateEventSourceMapping.self),
    .init(Lambda.CreateFunction.self),
    .init(
      missing: .rest(
        "Lambda.CreateFunctionUrlConfig", .post, "/2021-10-31/functions/{FunctionName}/url", status: 201)),
    .init(Lambda.DeleteAlias.self),
    .init(Lambda.DeleteCapacityProvider.self),
    .init(Lambda.DeleteCodeSigningConfig.self),
    .init(Lambda.DeleteDurableExecution.self),
    .init(Lambda.DeleteEventSourceMapping.self),
    .init(Lambda.DeleteFunction.self),
    .init(Lambda.DeleteFunctionCodeSigningConfig.self),
    .init(Lambda.DeleteFunctionConcurrency.self),
    .init(
      missing: .rest(
        "Lambda.DeleteFunctionEventInvokeConfig", .delete,
        "/2019-09-25/functions/{FunctionName}/event-invoke-config", status: 204)),
    .init(
      missing: .rest(
        "Lambda.DeleteFunctionUrlConfig", .delete, "/2021-10-31/functions/{FunctionName}/url", status: 204)),
    .init(Lambda.DeleteLayerVersion.self),
    .init(Lambda.DeleteProvisionedConcurrencyConfig.self),
    .init(
      missing: .rest(
        "Lambda.DeleteResourcePolicy", .delete, "/2026-07-09/resource-policy/{ResourceArn}", status: 204)),
    .init(Lambda.GetAccountSettings.self),
    .init(Lambda.GetAlias.self),
    .init(Lambda.GetCapacityProvider.self),
    .init(Lambda.GetCodeSigningConfig.self),
    .init(Lambda.GetDurableExecution.self),
    .init(Lambda.GetDurableExecutionHistory.self),
    .init(Lambda.GetDurableExecutionState.self),
    .init(Lambda.GetEventSourceMapping.self),
    .init(Lambda.GetFunction.self),
    .init(Lambda.GetFunctionCodeSigningConfig.self),
    .init(Lambda.GetFunctionConcurrency.self),
    .init(Lambda.GetFunctionConfiguration.self),
    .init(
      missing: .rest(
        "Lambda.GetFunctionEventInvokeConfig", .get, "/2019-09-25/functions/{FunctionName}/event-invoke-config")),
    .init(
      missing: .rest(
        "Lambda.GetFunctionRecursionConfig", .get, "/2024-08-31/functions/{FunctionName}/recursion-config")),
    .init(
      missing: .rest(
        "Lambda.GetFunctionScalingConfig", .get, "/2025-11-30/functions/{FunctionName}/function-scaling-config")),
    .init(missing: .rest("Lambda.GetFunctionUrlConfig", .get, "/2021-10-31/functions/{FunctionName}/url")),
    .init(Lambda.GetLayerVersion.self),
    .init(Lambda.GetLayerVersionByArn.self),
    .init(Lambda.GetLayerVersionPolicy.self),
    .init(missing: .rest("Lambda.GetPolicy", .get, "/2015-03-31/functions/{FunctionName}/policy")),
    .init(Lambda.GetProvisionedConcurrencyConfig.self),
    .init(missing: .rest("Lambda.GetResourcePolicy", .get, "/2026-07-09/resource-policy/{ResourceArn}")),
    .init(
      missing: .rest(
        "Lambda.GetRuntimeManagementConfig", .get, "/2021-07-20/functions/{FunctionName}/runtime-management-config")),
    .init(Lambda.Invoke.self),
    .init(Lambda.InvokeAsync.self),
    .init(Lambda.InvokeWithResponseStream.self),
    .init(Lambda.ListAliases.self),
    .init(Lambda.ListCapacityProviders.self),
    .init(Lambda.ListCodeSigningConfigs.self),
    .init(Lambda.ListDurableExecutionsByFunction.self),
    .init(Lambda.ListEventSourceMappings.self),
    .init(
      missing: .rest(
        "Lambda.ListFunctionEventInvokeConfigs", .get,
        "/2019-09-25/functions/{FunctionName}/event-invoke-config/list")),
    .init(missing: .rest("Lambda.ListFunctionUrlConfigs", .get, "/2021-10-31/functions/{FunctionName}/urls")),
    .init(Lambda.ListFunctionVersionsByCapacityProvider.self),
    .init(Lambda.ListFunctions.self),
    .init(Lambda.ListFunctionsByCodeSigningConfig.self),
    .init(Lambda.ListLayerVersions.self),
    .init(Lambda.ListLayers.self),
    .init(Lambda.ListProvisionedConcurrencyConfigs.self),
    .init(Lambda.ListTags.self),
    .init(Lambda.ListVersionsByFunction.self),
    .init(Lambda.PauseDurableExecution.self),
    .init(Lambda.PublishLayerVersion.self),
    .init(Lambda.PublishVersion.self),
    .init(Lambda.PutFunctionCodeSigningConfig.self),
    .init(Lambda.PutFunctionConcurrency.self),
    .init(
      missing: .rest(
        "Lambda.PutFunctionEventInvokeConfig", .put, "/2019-09-25/functions/{FunctionName}/event-invoke-config")),
    .init(
      missing: .rest(
        "Lambda.PutFunctionRecursionConfig", .put, "/2024-08-31/functions/{FunctionName}/recursion-config")),
    .init(
      missing: .rest(
        "Lambda.PutFunctionScalingConfig", .put,
        "/2025-11-30/functions/{FunctionName}/function-scaling-config", status: 202)),
    .init(Lambda.PutProvisionedConcurrencyConfig.self),
    .init(missing: .rest("Lambda.PutResourcePolicy", .put, "/2026-07-09/resource-policy/{ResourceArn}")),
    .init(
      missing: .rest(
        "Lambda.PutRuntimeManagementConfig", .put, "/2021-07-20/functions/{FunctionName}/runtime-management-config")),
    .init(Lambda.RemoveLayerVersionPermission.self),
    .init(
      missing: .rest(
        "Lambda.RemovePermission", .delete, "/2015-03-31/functions/{FunctionName}/policy/{StatementId}", status: 204)),
    .init(Lambda.ResumeDurableExecution.self),
    .init(Lambda.SendDurableExecutionCallbackFailure.self),
    .init(Lambda.SendDurableExecutionCallbackHeartbeat.self),
    .init(Lambda.SendDurableExecutionCallbackSuccess.self),
    .init(Lambda.StopDurableExecution.self),
    .init(Lambda.TagResource.self),
    .init(Lambda.UntagResource.self),
    .init(Lambda.UpdateAlias.self),
    .init(Lambda.UpdateCapacityProvider.self),
    .init(Lambda.UpdateCodeSigningConfig.self),
    .init(Lambda.UpdateEventSourceMapping.self),
    .init(Lambda.UpdateFunctionCode.self),
    .init(Lambda.UpdateFunctionConfiguration.self),
    .init(
      missing: .rest(
        "Lambda.UpdateFunctionEventInvokeConfig", .post, "/2019-09-25/functions/{FunctionName}/event-invoke-config")),
    .init(missing: .rest("Lambda.UpdateFunctionUrlConfig", .put, "/2021-10-31/functions/{FunctionName}/url")),
  ]
}

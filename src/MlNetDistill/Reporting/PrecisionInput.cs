using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;

namespace MlNetDistill.Reporting;

/// <summary>The student of a report in another precision.</summary>
/// <param name="Model">The whole model, which <c>WithPrecision</c> made of the report's student.</param>
/// <param name="Cost">Its cost from <c>mlContext.Model.MeasureCost</c>; null if not measured.</param>
public sealed record PrecisionInput(ITransformer Model, ModelCost? Cost = null)
{
    /// <summary>Its settings, in a line where they fit in one.</summary>
    public override string ToString() => SettingText.Describe(this);
}

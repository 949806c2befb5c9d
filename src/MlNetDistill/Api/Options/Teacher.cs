using Microsoft.ML;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>
/// Describes the teacher whose knowledge is distilled. It is queried during <c>Fit</c>, once for each training row, and never changed.
/// </summary>
public abstract partial class Teacher
{
    private protected Teacher() { }

    /// <summary>The outputs of a network.</summary>
    private protected const ModelOutputs NetworkKinds = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;

    /// <summary>Whether it is a route: several teachers in order.</summary>
    public virtual bool IsRoute => false;

    /// <summary>Its name in logs.</summary>
    public override string ToString() => Name;

    /// <summary>Whether it exists before the fit: it can be queried at once, and nothing is trained for it.</summary>
    internal virtual bool IsReady => false;

    /// <summary>Its name in logs.</summary>
    internal virtual string Name => string.Join(", ", TrainedNetworks.Select(n => n.Name));

    /// <summary>The settings of what is trained for it in the fit, as text: beside its answers, what its checkpoints depend on.</summary>
    internal virtual IEnumerable<string> Settings => [];

    /// <summary>Whether it can score augmented rows: a network can, a model that reads a data view cannot.</summary>
    internal virtual bool SupportsAugmentation => false;

    /// <summary>Whether a copy of it can be trained: a network that this library builds.</summary>
    internal virtual bool CanBeTrained => false;

    /// <summary>Whether its scores are logits, so a network's.</summary>
    internal virtual bool GivesLogits => true;

    /// <summary>The outputs that it can give; an ML.NET model gives only class scores.</summary>
    internal virtual ModelOutputs CanProvide => ModelOutputs.Logits;

    /// <summary>The networks over the student's features that it has or trains.</summary>
    internal virtual IEnumerable<NetworkSpec> TrainedNetworks => [];

    /// <summary>The trained networks that are also exported as ML.NET models.</summary>
    internal virtual IEnumerable<NetworkSpec> ExportedNetworks => TrainedNetworks;

    /// <summary>The columns, beside the student's features, that its outputs depend on; their values are part of the cache key.</summary>
    internal virtual IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => [];

    /// <summary>The columns, beside the student's features, that its outputs are computed from; null if they are unknown before the fit.</summary>
    internal virtual IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema) => SupportsAugmentation ? [] : null;

    /// <summary>
    /// Its classes as a key column, which replaces the label where the data have none: in the order of its scores, renamed by its ClassMap. Null if they are unknown
    /// before the fit.
    /// </summary>
    internal virtual DataViewSchema.Column? ClassesIn(DataViewSchema schema) => null;

    /// <summary>Whether it is a network whose last linear layer a student can keep.</summary>
    internal virtual bool ShowsLastLayer => false;

    /// <summary>Whether it is trained in the fit, on labels.</summary>
    internal virtual bool NeedsLabels => false;

    /// <summary>Which rows of the fit it was trained on.</summary>
    internal virtual SeenRows Seen => SeenRows.Unknown;

    /// <summary>Whether it is fitted on all rows of the data, also on those that are left out of the student's training; then their <see cref="ColumnsRead"/> count too.</summary>
    internal virtual bool ReadsRowsLeftOut => false;

    internal abstract IEnumerable<string> Validate();
}

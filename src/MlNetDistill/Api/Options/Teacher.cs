using Microsoft.ML;
using MlNetDistill.Networks;

namespace MlNetDistill;

/// <summary>
/// Whose knowledge is distilled. A description: it is asked during <c>Fit</c>, once for each training row, and never changed.
/// </summary>
public abstract partial class Teacher
{
    private protected Teacher() { }

    /// <summary>What a network can give.</summary>
    private protected const ModelOutputs NetworkKinds = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;

    /// <summary>Whether it is a route: several teachers in order.</summary>
    public virtual bool IsRoute => false;

    /// <summary>What it is called in logs.</summary>
    public override string ToString() => Name;

    /// <summary>Whether it is there before the fit: it can be asked at once, and nothing is trained for it.</summary>
    internal virtual bool IsReady => false;

    /// <summary>What it is called in logs.</summary>
    internal virtual string Name => string.Join(", ", TrainedNetworks.Select(n => n.Name));

    /// <summary>Whether it can answer for augmented rows: a network can, a model that reads the rows of a data view cannot.</summary>
    internal virtual bool SupportsAugmentation => false;

    /// <summary>What it gives at most; an ML.NET model gives class scores alone.</summary>
    internal virtual ModelOutputs CanProvide => ModelOutputs.Logits;

    /// <summary>The networks over the student's features that it has or trains.</summary>
    internal virtual IEnumerable<NetworkSpec> TrainedNetworks => [];

    /// <summary>The trained networks that are handed out as ML.NET models.</summary>
    internal virtual IEnumerable<NetworkSpec> ExportedNetworks => TrainedNetworks;

    /// <summary>The columns, beside the student's features, that its answers depend on: a record of them is known by their values.</summary>
    internal virtual IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => [];

    /// <summary>
    /// Its classes as a key column, which takes the place of the label where the data have none: in the order of its scores, renamed as its ClassMap says. Null
    /// where it does not say them before the fit.
    /// </summary>
    internal virtual DataViewSchema.Column? ClassesIn(DataViewSchema schema) => null;

    /// <summary>Whether it is trained here on the labels of the rows.</summary>
    internal virtual bool NeedsLabels => false;

    /// <summary>Whether those columns matter in rows that are left out of training too: whether it is fitted on all rows of the data.</summary>
    internal virtual bool ReadsRowsLeftOut => false;

    internal abstract IEnumerable<string> Validate();
}

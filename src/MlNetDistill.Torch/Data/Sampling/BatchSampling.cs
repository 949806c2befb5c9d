using MlNetDistill.Core;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill.Data;

/// <summary>
/// Which rows of an epoch come together in a batch: it matters for methods that compare the rows of a batch with each other. Derive from it, and from
/// <see cref="Sampler"/>, for a sampling of your own.
/// </summary>
public abstract record BatchSampling
{

    /// <summary>Every row once an epoch, in random order.</summary>
    public static BatchSampling Shuffled() => new ShuffledSampling();

    /// <summary>
    /// Each batch has the same number of rows of each of some classes (the class-uniform sampler of CCKD, Peng et al. 2019): batch size / instances
    /// classes, drawn anew for each batch. Rows of rare classes come more often than others. Every row needs a label.
    /// </summary>
    /// <param name="instances">Rows of a class in a batch, at least 1; must divide the batch size. 8 is our choice.</param>
    public static BatchSampling ClassUniform(int instances = 8) => new ClassUniformSampling(instances);

    /// <summary>
    /// As <see cref="ClassUniform"/>, but clusters of the teacher's answers take the place of classes (CCKD's superclass-uniform sampler), so
    /// missing labels do no harm and unbalanced ones little. Needs a method with a teacher.
    /// </summary>
    /// <remarks>
    /// The clusters are k-means of the teacher's embeddings, of its logits less their mean where it has none, each brought to unit length as CCKD's kernels see
    /// them: so rows that the teacher is sure of and rows that it is not do not part for that reason alone. The paper's number of clusters is not
    /// known to us, and there is no default; about the number of classes is a start.
    /// </remarks>
    /// <param name="clusters">Number of clusters, at least 2 and at least batch size / instances.</param>
    /// <param name="instances">Rows of a cluster in a batch, at least 1; must divide the batch size. 8 is our choice.</param>
    public static BatchSampling SuperclassUniform(int clusters, int instances = 8) => new SuperclassUniformSampling(clusters, instances);

    /// <summary>Its kind and its settings, in a line where they fit in one.</summary>
    public sealed override string ToString() => SettingText.Describe(this);

    /// <summary>What is wrong with these settings, each as one sentence.</summary>
    /// <param name="batchSize">Rows of a batch.</param>
    public virtual IEnumerable<string> Validate(int batchSize) => [];

    /// <summary>Whether its sampler uses the teacher's outputs.</summary>
    public virtual bool NeedsTeacher => false;

    /// <summary>Whether its sampler uses the rows' labels.</summary>
    public virtual bool NeedsLabels => false;

    /// <summary>The sampler of a training.</summary>
    /// <param name="batchSize">Rows of a batch.</param>
    public abstract Sampler Create(int batchSize);

    /// <summary>Rows that a batch has of so many rows trained on.</summary>
    internal virtual long RowsOfABatch(int batchSize, long rows) => batchSize;

    /// <summary>Refuses rows that cannot be sampled in this way as far as that shows without a teacher: before one is trained for hours.</summary>
    /// <exception cref="InvalidOperationException">The rows cannot be sampled in this way; the message says why.</exception>
    internal virtual void Check(IRowSource set, torch.Tensor training, int batchSize) { }

    private protected static IEnumerable<string> InstanceFaults(string name, int instances, int batchSize)
    {
        if (instances < 1)
            yield return Invariant($"{name}'s instances must be at least 1; was {instances}.");
        else if (batchSize >= 1 && batchSize % instances != 0)
            yield return $"{name}'s instances must divide the BatchSize; {batchSize} rows are no multiple of {instances}.";
    }
}

internal sealed record ShuffledSampling : BatchSampling
{
    public override Sampler Create(int batchSize) => new ShuffledSampler(batchSize);

    internal override long RowsOfABatch(int batchSize, long rows) => Math.Min(batchSize, rows);
}

internal sealed record ClassUniformSampling(int Instances) : BatchSampling
{
    public override IEnumerable<string> Validate(int batchSize) => InstanceFaults("ClassUniform", Instances, batchSize);

    public override bool NeedsLabels => true;

    public override Sampler Create(int batchSize) => new ClassUniformSampler(batchSize, Instances);

    internal override void Check(IRowSource set, torch.Tensor training, int batchSize) =>
        ClassUniformSampler.Check(set, training, batchSize, Instances);
}

internal sealed record SuperclassUniformSampling(int Clusters, int Instances) : BatchSampling
{
    public override IEnumerable<string> Validate(int batchSize)
    {
        foreach (var fault in InstanceFaults("SuperclassUniform", Instances, batchSize))
            yield return fault;
        if (Clusters < 2)
            yield return Invariant($"SuperclassUniform's clusters must be at least 2; was {Clusters}.");
        else if (Instances >= 1 && batchSize / Instances is var drawn && Clusters < drawn)
            yield return Invariant($"SuperclassUniform's clusters must be at least {drawn}, for a batch of {batchSize} rows has {Instances} of each; was {Clusters}.");
    }

    public override bool NeedsTeacher => true;

    public override Sampler Create(int batchSize) => new SuperclassUniformSampler(batchSize, Clusters, Instances);

    internal override void Check(IRowSource set, torch.Tensor training, int batchSize) =>
        SuperclassUniformSampler.Check(training.shape[0], Clusters);
}

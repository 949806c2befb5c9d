using MlNetDistill.Core;
using TorchSharp;
using static System.FormattableString;

namespace MlNetDistill.Data;

/// <summary>
/// Which rows of an epoch form a batch together. This matters for methods that compare the rows of a batch with each other. For your own sampling derive from this
/// class and from <see cref="Sampler"/>.
/// </summary>
public abstract record BatchSampling
{
    /// <summary>Every row once an epoch, in random order.</summary>
    public static BatchSampling Shuffled() => new ShuffledSampling();

    /// <summary>
    /// Each batch has the same number of rows of each of some classes (the class-uniform sampler of CCKD, Peng et al. 2019): batch size / instances
    /// classes, drawn again for each batch. Rows of rare classes are used more often than others. Every row needs a label.
    /// </summary>
    /// <param name="instances">Rows of a class in a batch, at least 1; must divide the batch size. The default 8 is a choice of this library.</param>
    public static BatchSampling ClassUniform(int instances = 8) => new ClassUniformSampling(instances);

    /// <summary>
    /// As <see cref="ClassUniform"/>, but with clusters of the teacher's outputs instead of classes (CCKD's superclass-uniform sampler), so it needs no labels and
    /// unbalanced classes matter little. Needs a method with a teacher.
    /// </summary>
    /// <remarks>
    /// The clusters are found by k-means on the teacher's embeddings (if it has none, on its logits minus their row mean), scaled to unit length as in CCKD's kernels,
    /// so that confident and unconfident outputs are not separated for their length alone. The paper does not state the number of clusters, so there is no default;
    /// start with about the number of classes.
    /// </remarks>
    /// <param name="clusters">Number of clusters, at least 2 and at least batch size / instances.</param>
    /// <param name="instances">Rows of a cluster in a batch, at least 1; must divide the batch size. The default 8 is a choice of this library.</param>
    public static BatchSampling SuperclassUniform(int clusters, int instances = 8) => new SuperclassUniformSampling(clusters, instances);

    /// <summary>Its kind and settings, in one line if they fit.</summary>
    public sealed override string ToString() => SettingText.Describe(this);

    /// <summary>What is wrong with these settings, one sentence per fault.</summary>
    /// <param name="batchSize">Rows of a batch.</param>
    public virtual IEnumerable<string> Validate(int batchSize) => [];

    /// <summary>Whether its sampler uses the teacher's outputs.</summary>
    public virtual bool NeedsTeacher => false;

    /// <summary>Whether its sampler uses the rows' labels.</summary>
    public virtual bool NeedsLabels => false;

    /// <summary>Creates the sampler of one training.</summary>
    /// <param name="batchSize">Rows of a batch.</param>
    public abstract Sampler Create(int batchSize);

    /// <summary>Rows of a batch, given the number of training rows.</summary>
    internal virtual long RowsPerBatch(int batchSize, long rows) => batchSize;

    /// <summary>Checks without a teacher whether the rows can be sampled in this way, before a teacher is trained for it.</summary>
    /// <exception cref="InvalidOperationException">The rows cannot be sampled in this way; the message says why.</exception>
    internal virtual void Check(IRowSource set, torch.Tensor training, int batchSize) { }

    private protected static IEnumerable<string> InstanceFaults(string name, int instances, int batchSize)
    {
        if (instances < 1)
            yield return Invariant($"{name}'s instances must be at least 1; was {instances}.");
        else if (batchSize >= 1 && batchSize % instances != 0)
            yield return $"{name}'s instances must divide the BatchSize; {batchSize} is not a multiple of {instances}.";
    }
}

internal sealed record ShuffledSampling : BatchSampling
{
    public override Sampler Create(int batchSize) => new ShuffledSampler(batchSize);

    internal override long RowsPerBatch(int batchSize, long rows) => Math.Min(batchSize, rows);
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
            yield return Invariant($"SuperclassUniform's clusters must be at least {drawn}, because a batch of {batchSize} rows has {Instances} of each cluster; was {Clusters}.");
    }

    public override bool NeedsTeacher => true;

    public override Sampler Create(int batchSize) => new SuperclassUniformSampler(batchSize, Clusters, Instances);

    internal override void Check(IRowSource set, torch.Tensor training, int batchSize) =>
        SuperclassUniformSampler.Check(training.shape[0], Clusters);
}

using MlNetDistill.Cache;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// A teacher that is asked once. For stages that read what a record keeps it answers every row before the first step, and its answers are looked up
/// then; stage features, which would take the memory of all activations, and ever new views of rows are answered live.
/// </summary>
internal abstract class CacheableTeacher(TeacherCaching recording) : StageTeacher, IDisposable
{
    private CachedOutputs? _answers;
    private SoftenedLogits? _softened;
    private IRowSource? _set;
    private LookedAt? _look;

    internal override bool SharesLook => _look is not null;

    internal override bool LooksUp => _answers is { AugmentedViews: 0 };

    /// <summary>How its answers are kept.</summary>
    protected TeacherCaching TeacherCaching => recording;

    /// <summary>Whether asking again would be dear, so that answers are kept from stage to stage.</summary>
    protected virtual bool KeepsAnswers => false;

    /// <summary>Whether a record that an interrupted run began may be gone on with: whether what answers now is what answered then.</summary>
    protected virtual bool IsResumable => true;

    /// <summary>Whether its record begins with rows that are spread over all, for a look at it to be the beginning of the record.</summary>
    protected virtual bool SpreadsFirst => false;

    internal override void BeginLook(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view)
    {
        if (!SpreadsFirst || view is not null || !recording.Options.Keeps(wanted, false))
            return;
        if (IsRecorded(set, wanted))
            Begin(set, wanted, null);
        else
            _look = new LookedAt(set, KeptOf(wanted));
    }

    public override void Begin(IRowSource set, ModelOutputs wanted, Func<Tensor, int, Batch>? view)
    {
        if (!recording.Options.Keeps(wanted, view is not null))
            return;
        var views = view is null ? 0 : recording.Options.AugmentedViews;
        if (ReferenceEquals(_set, set) && _answers is { } answers && answers.AugmentedViews == views && (wanted & ~answers.Kept) == ModelOutputs.None)
            return;
        Forget();
        recording.Last?.Forget();
        recording.Last = null;
        _answers = Record(set, KeptOf(wanted), view, views);
        _look?.Dispose();
        _look = null;
        _softened = _answers.WholeLogits is { } whole ? new SoftenedLogits(whole, recording.Store.Room) : null;
        _set = set;
    }

    public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
    {
        using var noGrad = no_grad();
        if (Recorded(batch) is { } answers && (wanted & ~answers.Kept) == ModelOutputs.None)
            return answers.Of(batch.Positions, wanted, batch.View);
        if (batch.View != 0 || _look is not { } look || !look.IsOf(batch.Set))
            return Asked(batch, wanted);
        // Counted with the record.
        var output = Live(batch, wanted | look.Kept);
        look.Keep(batch, output);
        return output;
    }

    internal override Tensor? KnownLogProbabilities(Batch batch, double temperature) =>
        Recorded(batch) is null ? null : _softened?.At(temperature, batch.Positions);

    public override void End()
    {
        if (KeepsAnswers)
            return;
        // Stage after stage reads them, until the turn comes to another teacher.
        if (_answers?.Kept.HasFlag(ModelOutputs.StageFeatures) == true)
            recording.Last = this;
        else
            Forget();
    }

    internal override void Release() => Forget();

    public virtual void Dispose()
    {
        Forget();
        _look?.Dispose();
        _look = null;
    }

    /// <summary>A hash of all that its answers depend on but the rows.</summary>
    protected abstract string Identity();

    /// <summary>Hash of the data that it reads.</summary>
    protected virtual string Data(IRowSource set) => DataHash.Of(set);

    /// <summary>Its outputs for any rows, computed now.</summary>
    protected abstract NetworkOutput Live(Batch batch, ModelOutputs wanted);

    /// <summary>What is wrong with a record from an earlier run, or null.</summary>
    protected virtual string? Refuted(CachedOutputs answers, IRowSource set, Func<Tensor, int, Batch>? view) => SpotCheck.Of(answers, set, view, Asked);

    /// <summary>Its answers to all rows, in its own order, from entry <paramref name="from"/> on: view after view, all rows of each.</summary>
    protected virtual IEnumerable<OutputChunk> AnswersFrom(IRowSource set, ModelOutputs kept, Func<Tensor, int, Batch>? view, long from) =>
        LiveOutputs.From(
            set, kept, view, recording, from, Live, SpreadsFirst ? QueryOrder.Of(set.Count) : null,
            view is null && _look is { } look && look.IsOf(set) && look.Kept == kept ? look.Take : null);

    /// <summary>Whether an earlier run left answers, some or all, that are going to be used; or may not be asked for.</summary>
    protected bool IsRecorded(IRowSource set, ModelOutputs wanted) =>
        recording.IsPersistent && recording.Options.Keeps(wanted, false) && recording.Store.HasBegun(KeyOf(set, KeptOf(wanted), 0));

    /// <summary>The first rows of <see cref="QueryOrder"/>, as many as are asked about at a time.</summary>
    protected Batch FirstBatch(IRowSource set) =>
        Batch.Of(set, tensor([.. QueryOrder.Of(set.Count).Take(recording.BatchSize)], device: set.Device));

    /// <summary>Its outputs for any rows, computed now and counted.</summary>
    protected NetworkOutput Asked(Batch batch, ModelOutputs wanted)
    {
        // To look at the shape costs an allocation.
        if (DistillationInstruments.TeacherRows.Enabled)
            DistillationInstruments.TeacherRows.Add(batch.Positions.shape[0]);
        return Live(batch, wanted);
    }

    private CachedOutputs? Recorded(Batch batch) =>
        ReferenceEquals(batch.Set, _set) && _answers is { } answers && (answers.AugmentedViews == 0 ? batch.View == 0 : batch.View >= 1 && batch.View <= answers.AugmentedViews) ? answers : null;

    private ModelOutputs KeptOf(ModelOutputs wanted) => (wanted | ModelOutputs.Logits) & Provides;

    private CachedOutputs Record(IRowSource set, ModelOutputs kept, Func<Tensor, int, Batch>? view, int views)
    {
        var key = KeyOf(set, kept, views);
        using var noGrad = no_grad();
        return recording.Store.Open(new(key, set.RowIds, set.Labels.device, from => AnswersFrom(set, kept, view, from))
        {
            Verify = answers => Refuted(answers, set, view),
            IsResumable = IsResumable,
        });
    }

    private CacheFileKey KeyOf(IRowSource set, ModelOutputs kept, int views) => new()
    {
        // What outlives nothing needs no name.
        Teacher = recording.IsPersistent ? Identity() : "",
        Data = !recording.IsPersistent ? "" : recording.Options.CacheKey ?? Data(set),
        Rows = set.Count,
        Classes = recording.Classes,
        Shapes = Shapes,
        Kept = kept,
        Precision = recording.Options.Precision,
        TopK = recording.Options.TopK,
        AugmentedViews = views,
        Augmentation = views == 0 ? null : recording.Augmentation,
    };

    private void Forget()
    {
        _softened?.Dispose();
        _answers?.Dispose();
        (_softened, _answers, _set) = (null, null, null);
    }
}

using Microsoft.ML;
using MlNetDistill.Alignment;
using MlNetDistill.Data;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>A kind of teacher of your own: derive from it and give a <see cref="StageTeacher"/> for the rows of a fit.</summary>
/// <remarks>
/// <see cref="Prepare"/> is called once for each fit, before anything is trained, and once in a preflight; in an ensemble or a route with a teacher that is trained it is
/// called twice for each fit, so that its errors are found before that training. Its teacher is queried for each row once if its outputs can
/// be cached (see <see cref="DistillationOptions.TeacherCache"/>), and in every step if rows are augmented.
/// </remarks>
public abstract class CustomTeacher : Teacher
{
    private readonly string _name;
    private readonly string? _cacheKey;
    private readonly ScoreSpec _scores;

    /// <summary>A teacher with these properties.</summary>
    /// <param name="name">Its name in messages and logs.</param>
    /// <param name="provides">The outputs that it can give.</param>
    /// <param name="classNames">
    /// The class of each of its logits. If null, its logits are in the order of <see cref="TeacherContext.ClassNames"/>; if the data have no label column, give the names.
    /// </param>
    /// <param name="supportsAugmentation">Whether it can compute outputs for augmented rows, that is, from the features of a batch alone.</param>
    /// <param name="cacheKey">
    /// A text that changes whenever its outputs for the same rows would, by which a cache in a folder is recognised. If null, outputs are cached for one run.
    /// </param>
#pragma warning disable RS0022 // Teacher has no protected members to expose.
    protected CustomTeacher(
#pragma warning restore RS0022
        string name, ModelOutputs provides = ModelOutputs.Logits, IReadOnlyList<string>? classNames = null, bool supportsAugmentation = false, string? cacheKey = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        (_name, CanProvide, SupportsAugmentation, _cacheKey) = (name, provides | ModelOutputs.Logits, supportsAugmentation, cacheKey);
        _scores = new ScoreSpec(ScoreKind.Logits, classNames) { Place = $"output of '{name}'" };
    }

    internal sealed override bool IsReady => true;

    internal sealed override string Name => _name;

    internal sealed override bool SupportsAugmentation { get; }

    internal sealed override ModelOutputs CanProvide { get; }

    /// <summary>The errors in its settings, each as one sentence.</summary>
    protected virtual IEnumerable<string> ValidateSettings() => [];

    /// <summary>The teacher for the rows of a fit. It is disposed after the fit if it is <see cref="IDisposable"/>.</summary>
    /// <param name="context">The rows, the classes, and where to compute and log.</param>
    protected abstract StageTeacher Prepare(TeacherContext context);

    internal sealed override IEnumerable<string> Validate() => _scores.Validate().Concat(ValidateSettings());

    internal sealed override DataViewSchema.Column? ClassesIn(DataViewSchema schema) => _scores.Classes();

    internal sealed override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        var guard = new LabelGuard(request.Set);
        var teacher = Prepare(new TeacherContext(request))
            ?? throw new InvalidOperationException($"Prepare of the teacher '{_name}' returned null; it must return a StageTeacher.");
        try
        {
            guard.Check($"Prepare of the teacher '{_name}'");
            var caching = _cacheKey is null ? request.TeacherCaching.WithoutFolder() : request.TeacherCaching;
            return new PreparedTeacher([new Anchor("teacher", 1, new CustomStageTeacher(_name, teacher, GetOrder(teacher, request), SupportsAugmentation, _cacheKey, caching))], null);
        }
        catch
        {
            (teacher as IDisposable)?.Dispose();
            throw;
        }
    }

    private ClassOrder GetOrder(StageTeacher teacher, TeacherRequest request)
    {
        var (found, classes) = (teacher.Shapes.LogitCount, request.Columns.Classes);
        if (_scores.ClassNames is not null)
            return _scores.Align(found, null, classes).Order;
        return found == classes.Count
            ? ClassOrder.Same(found)
            : throw new InvalidOperationException(
                $"The teacher '{_name}' has {found} classes in its Shapes, and the student has {classes.Count}. Give one logit for each class of TeacherContext.ClassNames, in this order; " +
                "or name the classes of the logits in the constructor of the teacher.");
    }
}

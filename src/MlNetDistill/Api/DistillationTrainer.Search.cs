using Microsoft.ML;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Searching;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <content>The search for the settings that pay.</content>
public sealed partial class DistillationTrainer
{
    /// <summary>
    /// Searches methods, softening, learning rates, transfer rows and student sizes by successive halving, the teacher queried once for all, and compares the best student with the same
    /// network trained on labels alone, whose own learning rate is searched too, on rows that no choice has seen.
    /// </summary>
    /// <param name="input">The rows that <see cref="Fit"/> would get. Some are held out to choose by, others to judge by, and nothing is trained on either.</param>
    /// <param name="options">How to search; the defaults if null.</param>
    /// <returns>The students, the leaderboard and the verdict; its text is a table of one screen.</returns>
    /// <remarks>
    /// The trainer's options are the starting point: their settings are the first candidate, and all that is not searched is taken from them. The same seed, rows and
    /// options give the same result. A teacher that is created by the fit is not fitted on the held-out rows either.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of their ranges, or a column is missing or of the wrong type.</exception>
    /// <exception cref="InvalidOperationException">
    /// There is no teacher or there are no labels, the trainer has separate validation data or a checkpoint directory, a candidate cannot be trained, or the time limit is too short.
    /// </exception>
    /// <exception cref="OperationCanceledException">The trainer's token was cancelled. Finished trainings are kept in the folder.</exception>
    /// <exception cref="InvalidDataException">A file in the folder is damaged.</exception>
    /// <example>
    /// <code>
    /// var result = trainer.Search(train, new SearchOptions { Goal = SearchGoal.SmallestStudent(keeps: 0.98) });
    /// Console.WriteLine(result);
    /// </code>
    /// </example>
    public SearchResult Search(IDataView input, SearchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        options ??= new();
        options.Check();
        CheckSearchable();
        var held = options.ValidationFraction + options.JudgeFraction;
        // A trainer of the student alone can have a teacher too, which then is used by the other candidates.
        var own = _options.Method.IsLabelsOnly ? DistillationMethod.Kd() : _options.Method;
        var basis = _options with
        {
            // The teacher is asked for all candidates, even if the trainer's own method asks none.
            Method = own.TeacherNeeds == ModelOutputs.None ? DistillationMethod.Kd() : own,
            ValidationFraction = _options.ValidationColumnName is null ? held : 0,
            // Rows that no candidate has are not made.
            TransferRows = options.Space.TransferRows?.Contains(_options.TransferRows) == false ? null : _options.TransferRows,
            CompareAlone = false,
            OnCancellation = CancellationBehavior.Throw,
            Progress = null,
        };
        var candidates = new SearchCandidates(options, own);
        return RunFit(basis, input, fit => fit.RunTrials(
            candidates, options.JudgeFraction / held, _options.HoldsRowsOut, trials => new SearchRun(options, _options, candidates, trials).Run()));
    }

    /// <summary>The same for a pipeline: fits the steps that lead to the trainer first.</summary>
    /// <param name="input">The rows that the pipeline would be fitted on.</param>
    /// <param name="steps">
    /// The steps before this trainer. They are fitted on all rows, as <c>Fit</c> of the pipeline would, so a step that learns from labels (such as a selection of features by
    /// their use for the class) must be fitted on other rows before; normalisation and the like are harmless.
    /// </param>
    /// <param name="options">How to search; the defaults if null.</param>
    /// <returns>As without steps; <see cref="SearchResult.Pipeline"/> has the fitted steps and the student.</returns>
    public SearchResult Search(IDataView input, IEstimator<ITransformer> steps, SearchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(steps);
        (options ??= new()).Check();
        CheckSearchable();
        var fitted = steps.Fit(input);
        return Search(fitted.Transform(input), options) with { Steps = fitted };
    }

    private void CheckSearchable()
    {
        if (_options.Teacher is null)
            throw new InvalidOperationException("A search compares distilled students with a student alone, and Teacher is not set in the trainer's options; set it.");
        if (_options.LabelColumnName is null)
            throw new InvalidOperationException("A search compares distilled students with a student that learns from labels alone, and LabelColumnName is null: name the label column.");
        if (_options.ValidationData is not null)
            throw new InvalidOperationException("A search holds out rows of its own input, for which the teacher is queried with all others. Leave out ValidationData; SearchOptions.ValidationFraction says how many.");
        if (_options.CheckpointDirectory is not null)
            throw new InvalidOperationException("A search keeps each training that ended in SearchOptions.Folder, and continues there; leave CheckpointDirectory null.");
        if (_options.MaxTrainingTime is not null)
            throw new InvalidOperationException("MaxTrainingTime is for a fit, and a search compares many trainings at equal steps. Leave it null; SearchOptions.TimeLimit limits a search.");
    }
}

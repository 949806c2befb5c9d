namespace MlNetDistill.Fitting;

/// <content>Checkpoints.</content>
internal sealed partial class DistillationFit
{
    private void OpenCheckpoints()
    {
        if (_options.CheckpointDirectory is not { } directory)
            return;
        var description = new FitDescription
        {
            Seed = _options.Seed!.Value,
            Method = _options.Method.Name,
            Settings =
            [
                .. FitDescription.Compared(_options.DescribeSettings()),
                // Their texts do not say all that the student depends on.
                .. _options.Teacher is { } teacher && _options.UsesTeacher ? [new ReportedSetting("The teacher's training", string.Join("; ", teacher.Settings))] : Array.Empty<ReportedSetting>(),
                .. _options.InitialWeights is { } weights ? [new ReportedSetting("The hash of InitialWeights", weights.Hash)] : Array.Empty<ReportedSetting>(),
            ],
            RowMemory = _options.RowStorage.MemoryLimit!.Value,
            Rows = Set.Count,
            RowsHash = RowsHash.Compute(Set, Split, _columns.Classes.Names ?? []),
            Student = new(
                _options.Student.Name,
                _options.Student.GetType().FullName!,
                _options.Student.ToJson(),
                _networks.GetInput(_options.Student),
                _columns.Classes.Count,
                _columns.Classes.Names,
                new(_options.LabelColumnName, _columns.Features.Name, _columns.Score, _columns.PredictedLabel)),
        };
        _networks.Checkpoints = _checkpoints = FitCheckpoints.Open(directory, _options.Checkpoints, description, _context, _inputSchema, _channel);
    }
}

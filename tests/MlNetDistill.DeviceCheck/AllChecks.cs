namespace MlNetDistill.DeviceCheck;

/// <summary>The checks, the quick and telling ones first.</summary>
internal static class AllChecks
{
    public static IEnumerable<Check> Create(Settings settings) =>
    [
        .. MachineChecks.Create(settings),
        .. LossChecks.Create(settings),
        .. NetworkChecks.Create(settings),
        .. PrecisionChecks.Create(settings),
        .. RunChecks.Create(settings),
        .. MethodChecks.OfPoints(settings),
        .. TeacherChecks.Create(settings),
        .. CacheChecks.Create(settings),
        .. MemoryChecks.Create(settings),
        .. SpeedChecks.Create(settings),
        .. MethodChecks.OfImages(settings),
        .. OptionChecks.Create(settings),
    ];
}

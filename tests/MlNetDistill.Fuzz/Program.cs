using MlNetDistill.Fuzz;

return CommandLine.Run(Commands.Root(), args);
